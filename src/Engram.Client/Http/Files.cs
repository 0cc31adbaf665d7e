using System.Net.Http.Headers;

namespace Engram.Client.Http;

/// <summary>Bodies that are files.</summary>
internal static class Files
{
    /// <summary>Makes the body of each attempt, from where the file stands now.</summary>
    public static Func<HttpContent> Content(Stream file, string type)
    {
        var start = file.CanSeek ? file.Position : 0;
        return () =>
        {
            if (file.CanSeek) file.Position = start;
            return new StreamContent(new LeftOpen(file)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        };
    }

    // A request disposes its content, and that its stream: the caller's stays open for the next attempt.
    private sealed class LeftOpen(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => inner.CanSeek;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void Flush() => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
