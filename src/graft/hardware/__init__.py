"""The processor, host memory and GPUs that a process runs on."""
