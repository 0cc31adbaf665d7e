using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Engram.ServeBench;

/// <summary>HTTP/1.1 over one socket with next to no work of its own, since it shares the cores with the service.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    public static byte[] Post(Uri address, string path, ReadOnlySpan<byte> body)
    {
        var head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"));
        return [.. head, .. body];
    }

    /// <returns>The status.</returns>
    public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> request)
    {
        await _socket.SendAsync(request);
        var (length, whole) = (0, -1);
        while (whole < 0 || length < whole)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (read == 0) throw new IOException("The service closed the connection.");
            length += read;
            if (whole < 0) whole = Whole(_buffer.AsSpan(0, length));
        }
        return (_buffer[9] - '0') * 100 + (_buffer[10] - '0') * 10 + _buffer[11] - '0';
    }

    public void Dispose() => _socket.Dispose();

    // Bytes of the whole answer once its head is there. Answers without a length are chunked here and end with an empty chunk.
    private static int Whole(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0) return -1;
        var at = answer[..end].IndexOf("Content-Length: "u8);
        if (at < 0) return answer.EndsWith("\r\n0\r\n\r\n"u8) ? answer.Length : -1;
        var digits = answer[(at + 16)..];
        return end + 4 + int.Parse(digits[..digits.IndexOf("\r\n"u8)], NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
