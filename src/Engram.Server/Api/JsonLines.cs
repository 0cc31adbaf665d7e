using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Engram.Server.Api;

/// <summary>Reads lines of JSON, as they stream in.</summary>
/// <typeparam name="T">What a line holds.</typeparam>
/// <param name="reader">The bytes.</param>
/// <param name="type">How a line is read.</param>
/// <param name="mostBytes">Most bytes of a line.</param>
internal sealed class JsonLines<T>(PipeReader reader, JsonTypeInfo<T> type, int mostBytes) where T : class
{
    /// <summary>The number of the last line, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>What the next line that is not blank holds; null at the end.</summary>
    /// <exception cref="RefusedException">The line is too long, or is not what it should be.</exception>
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            var examined = rest.End;
            try
            {
                while (Next(ref rest, read.IsCompleted) is { } line)
                {
                    Line++;
                    if (line.Length > mostBytes) throw TooLong(Line);
                    if (IsBlank(line)) continue;
                    examined = rest.Start; // what follows is for the next call
                    return Parse(line);
                }
                if (rest.Length > mostBytes) throw TooLong(Line + 1);
            }
            finally
            {
                reader.AdvanceTo(rest.Start, examined);
            }
            if (read.IsCompleted) return null;
        }
    }

    private T Parse(ReadOnlySequence<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = type.Options.MaxDepth });
            var value = JsonSerializer.Deserialize(ref json, type) ?? throw RefusedException.BadInput(null, "null, expected an object", Line);
            return json.Read() ? throw RefusedException.BadInput("body", "is no valid JSON", Line) : value;
        }
        catch (JsonException problem)
        {
            throw JsonProblem.Of(problem, type, Line);
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
