using System.Text.Json;
using SkiaSharp;
using static TorchSharp.torch;

namespace Engram.Server.Inputs;

/// <summary>Images, kept as bytes <c>[channels, height, width]</c>.</summary>
internal sealed class ImageEncoder(int channels, int height, int width) : InputEncoder
{
    private readonly int _bytes = channels * height * width;

    public override IReadOnlyList<long> Shape { get; } = [channels, height, width];

    public override ScalarType Type => ScalarType.Byte;

    protected override byte[] Read(JsonElement input, string field) => input.ValueKind switch
    {
        JsonValueKind.Array => Numbers(input, field),
        JsonValueKind.Object => Named(input, field),
        _ => throw Wrong(field, input, "an object with pixels or file, or an array of numbers"),
    };

    public override JsonElement Unpack(ReadOnlySpan<byte> packed)
    {
        var pixels = packed.ToArray();
        return Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteBase64String("pixels", pixels);
            writer.WriteEndObject();
        });
    }

    public override Tensor Encode(IReadOnlyList<byte[]> rows)
    {
        var inputs = empty([rows.Count, channels, height, width], ScalarType.Byte);
        var room = inputs.bytes;
        for (var i = 0; i < rows.Count; i++) rows[i].CopyTo(room[(i * _bytes)..]);
        return inputs;
    }

    private byte[] Named(JsonElement input, string field)
    {
        byte[]? packed = null;
        foreach (var property in input.EnumerateObject())
        {
            var name = $"{field}.{property.Name}";
            if (packed is not null) throw new InputException(name, $"{name}: one field too many, expected pixels or file alone");
            packed = property.Name switch
            {
                "pixels" => Pixels(property.Value, name),
                "file" => Decoded(Base64(property.Value, name, "a PNG or JPEG in base64"), name),
                _ => throw new InputException(name, $"{name}: unknown, expected pixels or file"),
            };
        }
        return packed ?? throw new InputException(field, $"{field}: an empty object, expected one with pixels or file");
    }

    private byte[] Decoded(byte[] file, string field)
    {
        using var data = SKData.CreateCopy(file);
        try
        {
            return ImagePixels.Read(data, field, channels, height, width, resize: false);
        }
        catch (InvalidDataException problem)
        {
            throw new InputException(field, problem.Message);
        }
    }

    private byte[] Pixels(JsonElement value, string field)
    {
        var bytes = Base64(value, field, $"{_bytes} bytes in base64");
        return bytes.Length == _bytes
            ? bytes
            : throw new InputException(field, $"{field}: {bytes.Length} bytes, expected {_bytes} ({channels} × {height} × {width})");
    }

    private static byte[] Base64(JsonElement value, string field, string expected) =>
        value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes) ? bytes : throw Wrong(field, value, expected);

    private byte[] Numbers(JsonElement input, string field)
    {
        if (input.GetArrayLength() != _bytes)
            throw new InputException(field, $"{field}: {input.GetArrayLength()} numbers, expected {_bytes} ({channels} × {height} × {width})");
        var packed = new byte[_bytes];
        var i = 0;
        foreach (var element in input.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetDouble(out var number) || number is not (>= 0 and <= 255))
                throw Wrong($"{field}[{i}]", element, "a number from 0 to 255");
            packed[i++] = (byte)Math.Round(number);
        }
        return packed;
    }
}
