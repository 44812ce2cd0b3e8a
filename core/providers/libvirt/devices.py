"""Everything else in a machine's domain: serial ports, screen, TPM, watchdog, what is passed through."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from core.providers.libvirt.element import add, attributes_of
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options, several
from core.providers.libvirt.parts import Channel


def add_devices(devices: Element, options: Options, layout: Layout, *, far: bool) -> None:
    """``far``: the hypervisor is on another computer, which does not see this one's folders."""
    _serials(devices, options, layout, far=far)
    _screen(devices, options, layout, far=far)
    if options.sound_type:
        add(devices, "sound", model=options.sound_type)
    _tpm(devices, options)
    _channels(devices, options)
    _passed_through(devices, options)
    _redirected(devices, options)
    if options.watchdog:
        add(devices, "watchdog", **attributes_of(options.watchdog))
    _balloon(devices, options)
    generator = add(devices, "rng", model="virtio")
    add(generator, "backend", "/dev/random" if options.random else "/dev/urandom", model="random")


def _serials(devices: Element, options: Options, layout: Layout, *, far: bool) -> None:
    """The first one is the console."""
    console = add(devices, "serial", type="pty")
    if not far:
        add(console, "log", file=layout.serial_log, append="on")
    add(console, "target", port="0")
    for number, part in enumerate(several(options.serial), 1):
        port = add(devices, "serial", type=part.type)
        if part.source:
            add(port, "source", path=part.source["path"])
        add(port, "target", port=number)


def _screen(devices: Element, options: Options, layout: Layout, *, far: bool) -> None:
    shown = options.graphics != "none"
    _usb(devices, options, shown=shown)
    for part in several(options.input):
        add(devices, "input", **attributes_of(part))
    if shown:
        _graphics(devices, options, layout, far=far)
    if shown or options.video_type or options.video_accel3d or options.video_vram:
        video = add(devices, "video")
        kind = options.video_type or ("virtio" if options.video_accel3d else "vga")
        model = add(video, "model", type=kind, vram=options.video_vram or "")
        if options.video_accel3d:
            add(model, "acceleration", accel3d="yes")


def _usb(devices: Element, options: Options, *, shown: bool) -> None:
    controller = options.usb_controller
    needed = shown or options.usb != () or options.redirdev != ()
    needed = needed or any(part.bus == "usb" for part in several(options.input))
    if controller:
        add(devices, "controller", type="usb", model=controller.model, ports=controller.ports)
    else:
        add(devices, "controller", type="usb", model="qemu-xhci" if needed else "none")
    if shown and not options.input:
        for kind in ("keyboard", "tablet"):
            add(devices, "input", type=kind, bus="usb")


def by_socket(options: Options) -> bool:
    """The screen is behind a private Unix socket, as no port is asked for."""
    return not (options.graphics_port or options.graphics_websocket or options.graphics_autoport is not None)


def _graphics(devices: Element, options: Options, layout: Layout, *, far: bool) -> None:
    screen = add(devices, "graphics", type=options.graphics, keymap=options.keymap)
    if by_socket(options) and not far:
        add(screen, "listen", type="socket", socket=layout.screen_socket)
    else:
        chosen = options.graphics_port > 0 and options.graphics_autoport not in (True, "yes")
        screen.set("port", str(options.graphics_port) if chosen else "-1")
        screen.set("autoport", "no" if chosen else "yes")
        if options.graphics_websocket:
            screen.set("websocket", str(options.graphics_websocket))
        address = "127.0.0.1" if options.graphics_ip == "localhost" else options.graphics_ip
        add(screen, "listen", type="address", address=address)
    if options.graphics_gl:
        add(screen, "gl", enable="yes")


def _tpm(devices: Element, options: Options) -> None:
    if not (options.tpm_type or options.tpm_model or options.tpm_version or options.tpm_path):
        return
    kind = options.tpm_type or ("passthrough" if options.tpm_path else "emulator")
    tpm = add(devices, "tpm", model=options.tpm_model or "tpm-tis")
    version = options.tpm_version or ("2.0" if kind == "emulator" else "")
    backend = add(tpm, "backend", type=kind, version=version)
    if options.tpm_path:
        add(backend, "device", path=options.tpm_path)


_AGENT = Channel(type="unix", target_name="org.qemu.guest_agent.0")


def _channels(devices: Element, options: Options) -> None:
    asked = several(options.channel)
    agent = (_AGENT,) if options.qemu_use_agent else ()
    for part in (
        *asked,
        *(each for each in agent if all(_AGENT.target_name != a.target_name for a in asked)),
    ):
        channel = add(devices, "channel", type=part.type)
        if part.source_mode or part.source_path:
            add(channel, "source", mode=part.source_mode, path=part.source_path)
        add(
            channel,
            "target",
            type=part.target_type,
            name=part.target_name,
            address=part.target_address,
            port=part.target_port,
        )


def _passed_through(devices: Element, options: Options) -> None:
    for pci in several(options.pci):
        device = add(devices, "hostdev", mode="subsystem", type="pci", managed="yes")
        add(
            add(device, "source"),
            "address",
            domain=pci.domain,
            bus=pci.bus,
            slot=pci.slot,
            function=pci.function,
        )
        if pci.guest_bus or pci.guest_slot:
            add(
                device,
                "address",
                type="pci",
                domain=pci.guest_domain,
                bus=pci.guest_bus,
                slot=pci.guest_slot,
                function=pci.guest_function,
            )
    for usb in several(options.usb):
        device = add(devices, "hostdev", mode="subsystem", type="usb")
        source = add(device, "source", startupPolicy=usb.startupPolicy)
        if usb.vendor:
            add(source, "vendor", id=usb.vendor)
        if usb.product:
            add(source, "product", id=usb.product)
        if usb.bus and usb.device:
            add(source, "address", bus=usb.bus, device=usb.device)


def _redirected(devices: Element, options: Options) -> None:
    for part in several(options.redirdev):
        add(devices, "redirdev", bus="usb", type=part.type)
    filters = several(options.redirfilter)
    if filters:
        inside = add(devices, "redirfilter")
        for rule in filters:
            add(inside, "usbdev", **attributes_of(rule))
    if options.smartcard:
        add(devices, "smartcard", **attributes_of(options.smartcard))


def _balloon(devices: Element, options: Options) -> None:
    if options.memballoon_enabled is False:
        add(devices, "memballoon", model="none")
        return
    balloon = add(devices, "memballoon", model=options.memballoon_model)
    if options.memballoon_pci_bus or options.memballoon_pci_slot:
        add(
            balloon,
            "address",
            type="pci",
            domain="0x0000",
            bus=options.memballoon_pci_bus,
            slot=options.memballoon_pci_slot,
            function="0x0",
        )
