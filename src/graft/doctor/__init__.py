"""Checks of `graft doctor`: this machine, its packages, credentials and addresses.

A check is a function of what probes read, so that both outcomes can be tested. Nothing
is changed, and no value of a credential is printed.
"""
