"""A guest of 512 bytes: it boots at once, speaks over its serial port, and does what it is told.

It says "ready", then answers single letters:

- ``+`` counts up a digit in its memory, and says it
- ``w`` writes that digit to its disk, and says ``w`` (``e`` when the disk refuses)
- ``r`` reads the disk's digit, and says it
- ``i`` ignores the power button from now on
- ``q`` powers off

Anything else it sends back. When the power button is pressed it says "bye" and powers off.
``SOURCE`` assembles to the bytes below, with ``as --32`` and
``ld -m elf_i386 -Ttext 0x7c00 --oformat binary``.
"""

from __future__ import annotations

from pathlib import Path

SIZE = 1024 * 1024
"""Bytes of the disk."""

READY = b"ready\n"

_CODE = bytes.fromhex(
    """
    fa31c08ed88ec08ed0bc007c8816c47cba0206b80001efbeb67ce87e00bafd03eca8017422baf803ec3c7174303c2b74
    373c77743c3c72744b3c697505c606c37c01e86000ebd6803ec37c007516ba0006edf6c401740dbebd7ce83e00ba0406
    b80020effbf4ebb5fe06c27ca0c27cebd1a0c27ca20080b443e81200b07773c2b065ebbeb442e80500a00080ebb4b000
    8a16c47cbec87cfbcd13c3ac84c07415e80200ebf688c3bafd03eca82074f888d8baf803eec372656164790a00627965
    0a003000808d7400100001000080000008000000000000000000000000000000
    """
)


def write_disk(path: Path) -> Path:
    """Make ``path`` a raw disk image that boots into the guest."""
    with path.open("wb") as file:
        file.write(_CODE.ljust(510, b"\0") + b"\x55\xaa")
        file.truncate(SIZE)
    return path


SOURCE = """
.code16
.globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movb %dl, drive
    movw $0x602, %dx
    movw $0x0100, %ax
    outw %ax, %dx
    movw $hello, %si
    call print
loop:
    movw $0x3fd, %dx
    inb %dx, %al
    testb $1, %al
    jz button
    movw $0x3f8, %dx
    inb %dx, %al
    cmpb $'q', %al
    je off
    cmpb $'+', %al
    je count
    cmpb $'w', %al
    je write
    cmpb $'r', %al
    je read
    cmpb $'i', %al
    jne echo
    movb $1, deaf
echo:
    call putc
    jmp loop
button:
    cmpb $0, deaf
    jne rest
    movw $0x600, %dx
    inw %dx, %ax
    testb $1, %ah
    jz rest
    movw $bye, %si
    call print
off:
    movw $0x604, %dx
    movw $0x2000, %ax
    outw %ax, %dx
rest:
    sti
    hlt
    jmp loop
count:
    incb digit
answer:
    movb digit, %al
    jmp echo
write:
    movb digit, %al
    movb %al, 0x8000
    movb $0x43, %ah
    call disk
    movb $'w', %al
    jnc echo
    movb $'e', %al
    jmp echo
read:
    movb $0x42, %ah
    call disk
    movb 0x8000, %al
    jmp echo
disk:
    movb $0, %al
    movb drive, %dl
    movw $packet, %si
    sti
    int $0x13
    ret
print:
    lodsb
    testb %al, %al
    jz done
    call putc
    jmp print
putc:
    movb %al, %bl
wait:
    movw $0x3fd, %dx
    inb %dx, %al
    testb $0x20, %al
    jz wait
    movb %bl, %al
    movw $0x3f8, %dx
    outb %al, %dx
done:
    ret
hello: .asciz "ready\n"
bye: .asciz "bye\n"
digit: .byte '0'
deaf: .byte 0
drive: .byte 0x80
.balign 4
packet:
    .byte 16, 0
    .word 1
    .word 0x8000, 0
    .quad 8
.org 510
.word 0xaa55
"""
