"""One file per governed action: the preview changes nothing, each fault names its field, apply does it once."""
