"""What the functions for several devices say: there is one."""


def refuse(op, devices):
    raise ValueError(
        f"[{op}] Expected a non cpu device, and this build has none. Received {devices}. Call the module itself."
    )
