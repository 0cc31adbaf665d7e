using System.Buffers;
using System.Text.Json;

namespace Engram.Client;

/// <summary>Makes inputs as <see cref="InputSchema"/> describes them.</summary>
public static class LearnerInput
{
    /// <summary>A vector, or the numbers of an image or of an ONNX encoder's input.</summary>
    /// <param name="values">The numbers, all finite.</param>
    public static JsonElement Vector(params ReadOnlySpan<float> values)
    {
        var (buffer, writer) = Writer(16 * values.Length);
        using (writer)
        {
            writer.WriteStartArray();
            foreach (var value in values) writer.WriteNumberValue(value);
            writer.WriteEndArray();
        }
        return Parse(buffer);
    }

    /// <summary>A text.</summary>
    /// <param name="text">The text.</param>
    public static JsonElement Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (buffer, writer) = Writer(2 * text.Length);
        using (writer) writer.WriteStringValue(text);
        return Parse(buffer);
    }

    /// <summary>An image of bytes.</summary>
    /// <param name="pixels">channels × height × width bytes.</param>
    public static JsonElement Pixels(ReadOnlySpan<byte> pixels) => Bytes("pixels", pixels);

    /// <summary>An image from a file.</summary>
    /// <param name="file">The content of a PNG or JPEG file.</param>
    public static JsonElement ImageFile(ReadOnlySpan<byte> file) => Bytes("file", file);

    /// <summary>A row of a table.</summary>
    /// <param name="columns">Each column's value: a number, a string, or null where it is missing.</param>
    /// <exception cref="ArgumentException">A value is none of these.</exception>
    public static JsonElement Row(params IEnumerable<KeyValuePair<string, object?>> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var (buffer, writer) = Writer(256);
        using (writer)
        {
            writer.WriteStartObject();
            foreach (var (name, value) in columns)
            {
                writer.WritePropertyName(name);
                Write(writer, name, value);
            }
            writer.WriteEndObject();
        }
        return Parse(buffer);
    }

    private static void Write(Utf8JsonWriter writer, string name, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case string text: writer.WriteStringValue(text); break;
            case double number: writer.WriteNumberValue(number); break;
            case float number: writer.WriteNumberValue(number); break;
            case int number: writer.WriteNumberValue(number); break;
            case long number: writer.WriteNumberValue(number); break;
            case decimal number: writer.WriteNumberValue(number); break;
            default: throw new ArgumentException($"{name}: {value.GetType()}, expected a number, a string or null", nameof(value));
        }
    }

    private static JsonElement Bytes(string name, ReadOnlySpan<byte> bytes)
    {
        var (buffer, writer) = Writer(2 * bytes.Length);
        using (writer)
        {
            writer.WriteStartObject();
            writer.WriteBase64String(name, bytes);
            writer.WriteEndObject();
        }
        return Parse(buffer);
    }

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Writer) Writer(int size)
    {
        var buffer = new ArrayBufferWriter<byte>(size + 64);
        return (buffer, new Utf8JsonWriter(buffer));
    }

    private static JsonElement Parse(ArrayBufferWriter<byte> buffer)
    {
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
