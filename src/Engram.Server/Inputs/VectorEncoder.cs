using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace Engram.Server.Inputs;

/// <summary>Arrays of numbers, kept as float32.</summary>
internal sealed class VectorEncoder(int size) : InputEncoder
{
    public override IReadOnlyList<long> Shape { get; } = [size];

    protected override byte[] Read(JsonElement input, string field) => Floats.Pack(input, field, size);

    public override JsonElement Unpack(ReadOnlySpan<byte> packed) => Floats.Unpack(packed);

    public override Tensor Encode(IReadOnlyList<byte[]> rows)
    {
        var inputs = empty(rows.Count, size);
        var room = inputs.bytes;
        for (var i = 0; i < rows.Count; i++) rows[i].CopyTo(room[(i * 4 * size)..]);
        return inputs;
    }

    /// <summary>Arrays of numbers as float32 bytes.</summary>
    internal static class Floats
    {
        /// <summary>Larger numbers could overflow inside a model, and spoil the answers of others in the same batch.</summary>
        private const float Largest = 1e12f;

        public static byte[] Pack(JsonElement input, string field, int size)
        {
            if (input.ValueKind != JsonValueKind.Array) throw Wrong(field, input, $"an array of {size} numbers");
            if (input.GetArrayLength() != size)
                throw new InputException(field, $"{field}: {input.GetArrayLength()} numbers, expected {size}");
            var packed = new byte[4 * size];
            var numbers = MemoryMarshal.Cast<byte, float>(packed.AsSpan());
            var i = 0;
            foreach (var element in input.EnumerateArray())
            {
                if (element.ValueKind != JsonValueKind.Number || !element.TryGetSingle(out var number) || !(MathF.Abs(number) <= Largest))
                    throw Wrong($"{field}[{i}]", element, "a number from -1e12 to 1e12");
                numbers[i++] = number;
            }
            return packed;
        }

        public static JsonElement Unpack(ReadOnlySpan<byte> packed)
        {
            var numbers = MemoryMarshal.Cast<byte, float>(packed).ToArray();
            return Json(writer =>
            {
                writer.WriteStartArray();
                foreach (var number in numbers) writer.WriteNumberValue(number);
                writer.WriteEndArray();
            });
        }
    }
}
