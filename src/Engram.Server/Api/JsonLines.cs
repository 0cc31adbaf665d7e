using System.Buffers;
using System.IO.Pipelines;

namespace Engram.Server.Api;

/// <summary>Reads lines of JSON, as they stream in.</summary>
/// <param name="reader">The bytes.</param>
/// <param name="mostBytes">Most bytes of a line.</param>
internal sealed class JsonLines(PipeReader reader, int mostBytes)
{
    private SequencePosition _consumed;
    private bool _hasLine;

    /// <summary>The number of the last line, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next line that is not blank; null at the end. It is valid until the next call.</summary>
    /// <exception cref="RefusedException">A line is too long.</exception>
    public async ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_hasLine) reader.AdvanceTo(_consumed);
        _hasLine = false;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (Next(ref rest, read.IsCompleted) is { } line)
            {
                Line++;
                if (line.Length > mostBytes) throw TooLong(Line);
                if (IsBlank(line)) continue;
                (_consumed, _hasLine) = (rest.Start, true);
                return line;
            }
            if (rest.Length > mostBytes) throw TooLong(Line + 1);
            reader.AdvanceTo(rest.Start, read.Buffer.End);
            if (read.IsCompleted) return null;
        }
    }

    private static ReadOnlySequence<byte>? Next(ref ReadOnlySequence<byte> rest, bool isLast)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            var line = rest.Slice(0, end);
            rest = rest.Slice(rest.GetPosition(1, end));
            return line;
        }
        if (!isLast || rest.IsEmpty) return null;
        var last = rest;
        rest = rest.Slice(rest.End);
        return last;
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var part in line)
        {
            if (part.Span.ContainsAnyExcept(" \t\r"u8)) return false;
        }
        return true;
    }

    private RefusedException TooLong(long line) => RefusedException.TooLarge(null, $"longer than {mostBytes} bytes", line);
}
