"""Exit with 0 if an address answers with status 200 within four seconds."""

import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=4):
    pass
