#!/usr/bin/env python3
"""Measures kernel settings in network namespaces. Started by measure.sh, which makes them; prints one line a case.

The path with a delay is made here: two TUN devices, one in each namespace, and a loop that hands each packet over
after half a round trip. That needs no kernel module; it carries some tens of megabytes a second, which bounds what
the window measurement can show.
"""

import errno
import fcntl
import heapq
import os
import selectors
import socket
import struct
import subprocess
import sys
import time

GATEWAY, CLIENT = "ringgate-a", "ringgate-b"
PORT = 8080


def sysctl(name, value):
    with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
        file.write(value)


def relay(delay_ms):
    """Carries packets between a TUN device in each namespace, `delay_ms` late."""
    devices = []
    for index, (space, address) in enumerate([(GATEWAY, "10.99.0.1/24"), (CLIENT, "10.99.0.2/24")]):
        name = f"rgtun{index}"
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH", name.encode(), 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
        for command in (
            f"ip link set {name} netns {space}",
            f"ip -n {space} addr add {address} dev {name}",
            f"ip -n {space} link set {name} txqueuelen 10000 up",
        ):
            subprocess.run(command.split(), check=True)
        devices.append(device)
    print("ready", flush=True)
    selector = selectors.DefaultSelector()
    for index, device in enumerate(devices):
        selector.register(device, selectors.EVENT_READ, devices[1 - index])
    waiting, serial = [], 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, device, packet = heapq.heappop(waiting)
            os.write(device, packet)
        timeout = max(0.0, waiting[0][0] - now) if waiting else None
        for key, _ in selector.select(timeout):
            for _ in range(256):
                try:
                    packet = os.read(key.fd, 65536)
                except BlockingIOError:
                    break
                serial += 1
                heapq.heappush(waiting, (time.monotonic() + delay_ms / 1000, serial, key.data, packet))


def burst(limit):
    """2,000 clients connect while the server is busy for 300 ms: how long until each is connected?"""
    sysctl("net.core.somaxconn", limit)
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(65535)
    address = server.getsockname()
    selector = selectors.DefaultSelector()
    began = time.monotonic()
    for _ in range(2000):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        selector.register(client, selectors.EVENT_WRITE)
    server.setblocking(False)
    # Held so that none is closed while others still connect.
    times, connected, accepted = [], [], []
    while len(accepted) < 2000:
        for key, _ in selector.select(0.01):
            selector.unregister(key.fileobj)
            times.append(time.monotonic() - began)
            connected.append(key.fileobj)
        if time.monotonic() - began > 0.3:
            try:
                while True:
                    accepted.append(server.accept()[0])
            except BlockingIOError:
                pass
        if time.monotonic() - began > 20:
            break
    late = sum(t > 0.5 for t in times) + 2000 - len(times)
    print(f"somaxconn={limit}: {late} of 2000 clients waited for more than 0.5 s, the last {max(times):.2f} s")


def ports(limits):
    """How many connections to one origin address fit into 1,000 local ports?"""
    sysctl("net.ipv4.ip_local_port_range", limits)
    held = []
    try:
        while True:
            held.append(socket.create_connection(("10.98.0.1", PORT)))
    except OSError as error:
        assert error.errno == errno.EADDRNOTAVAIL, error
    print(f"ip_local_port_range={limits}: {len(held)} connections to one origin address, then EADDRNOTAVAIL")


def churn(reuse, limits):
    """Connections to one origin address, each closed by us after one exchange, with 1,000 local ports."""
    sysctl("net.ipv4.tcp_tw_reuse", reuse)
    sysctl("net.ipv4.ip_local_port_range", limits)
    made, refused, until = 0, 0, time.monotonic() + 10
    while time.monotonic() < until:
        try:
            with socket.create_connection(("10.98.0.1", PORT)) as connection:
                connection.sendall(b"\0" * 4)
                connection.recv(1)
            made += 1
        except OSError as error:
            assert error.errno == errno.EADDRNOTAVAIL, error
            refused += 1
            time.sleep(0.01)
    print(f"tcp_tw_reuse={reuse}: {made} connections in 10 s from 1000 ports, {refused} tries refused")


def serve():
    """Answers four bytes, a length, with that many bytes; one connection at a time is enough."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", PORT))
    server.listen(65535)
    print("ready", flush=True)
    held = []
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                connection, _ = server.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                held.append(connection)
                continue
            asked = key.fileobj.recv(4)
            if len(asked) < 4:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                held.remove(key.fileobj)
            else:
                key.fileobj.sendall(bytes(max(1, struct.unpack("!I", asked)[0])))


def fetch(connection, size):
    began = time.monotonic()
    connection.sendall(struct.pack("!I", size))
    left = size
    while left:
        left -= len(connection.recv(min(left, 1 << 20)))
    return time.monotonic() - began


def idle(name):
    """A 512 KiB answer over a 50 ms round trip on a warm connection, and again after two seconds of silence."""
    with socket.create_connection(("10.99.0.1", PORT)) as connection:
        warm = [fetch(connection, 512 << 10) for _ in range(8)][-1]
        after = []
        for _ in range(3):
            time.sleep(2)
            after.append(fetch(connection, 512 << 10))
            for _ in range(4):
                fetch(connection, 512 << 10)
    print(f"tcp_slow_start_after_idle={name}: warm {warm * 1e3:.0f} ms, after 2 s idle {sorted(after)[1] * 1e3:.0f} ms")


def window(name):
    """How fast 16 MiB arrive over a 50 ms round trip."""
    with socket.create_connection(("10.99.0.1", PORT)) as connection:
        fetch(connection, 4 << 20)
        took = sorted(fetch(connection, 16 << 20) for _ in range(3))[1]
    print(f"tcp_wmem={name}: {16 / took:.1f} MiB/s")


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    if role == "sysctl":
        sysctl(*rest)
    else:
        arguments = [int(rest[0])] if role == "relay" else rest
        {"relay": relay, "serve": serve, "burst": burst, "ports": ports, "churn": churn, "idle": idle, "window": window}[
            role
        ](*arguments)
