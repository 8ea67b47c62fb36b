"""Forms: fields, shapes and remedies of input; no rule about who may do what."""
