"""Messages and file descriptors over a socket. What has arrived can be read without waiting for what has not."""

import array
import collections
import contextlib
import os
import socket
import struct

_LENGTH = struct.Struct("<Q")
_DESCRIPTORS = socket.CMSG_SPACE(64 * array.array("i").itemsize)


class Channel:
    """One end. With blocking=False, neither end can hold the other one up: half a message stays in a buffer."""

    def __init__(self, end, blocking=True):
        self._socket = end
        end.setblocking(blocking)
        self._arrived = bytearray()
        self._unsent = bytearray()
        self.descriptors = collections.deque()  # in the order in which they were sent

    def fileno(self):
        return self._socket.fileno()

    def send(self, message, descriptors=()):
        """Sends bytes; what the other end has no room for yet is kept for flush()."""
        self._unsent += _LENGTH.pack(len(message))
        self._unsent += message
        if descriptors:
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            del self._unsent[: self._socket.sendmsg([self._unsent], control)]
        self.flush()

    def flush(self):
        """Goes on sending. True when nothing is left."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return False
        return True

    def receive(self):
        """The whole messages that have arrived, perhaps none. Raises EOFError when the other end is closed."""
        try:
            data, control, _, _ = self._socket.recvmsg(1 << 18, _DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            data, control = b"", ()
        if not data:
            raise EOFError("[Channel] the other end is closed.")
        for _, _, sent in control:
            received = array.array("i")
            received.frombytes(sent[: len(sent) - len(sent) % received.itemsize])
            self.descriptors.extend(received)
        self._arrived += data
        return list(self._messages())

    def _messages(self):
        while len(self._arrived) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._arrived)[0]
            if len(self._arrived) < end:
                return
            yield bytes(self._arrived[_LENGTH.size : end])
            del self._arrived[:end]

    def close(self):
        """Ends the connection, even where a process forked meanwhile has this end too."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        while self.descriptors:
            os.close(self.descriptors.popleft())
