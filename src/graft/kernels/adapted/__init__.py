"""What lies between the products of a decoder layer, in inference with adapters."""
