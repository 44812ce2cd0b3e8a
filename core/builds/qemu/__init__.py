"""The machine in which a build's steps run, on QEMU: hardware, media, screen, keyboard and saved states."""
