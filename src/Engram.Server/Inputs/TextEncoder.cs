using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;
using Utf8 = System.Text.Encoding;

namespace Engram.Server.Inputs;

/// <summary>
/// Texts as hashed n-grams of words and characters (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning": a
/// second hash gives the sign, so that collisions cancel on average), with sublinear counts 1 + ln n, at length 1. Kept as UTF-8.
/// </summary>
internal sealed class TextEncoder(int features, int wordNgrams, int characterNgrams) : InputEncoder
{
    private const int MostCharacters = 100_000;

    public override IReadOnlyList<long> Shape { get; } = [features];

    /// <summary>A text as it is kept: UTF-8.</summary>
    /// <exception cref="InputException">It is no string, or too long.</exception>
    public static byte[] PackText(JsonElement input, string field)
    {
        if (input.ValueKind != JsonValueKind.String) throw Wrong(field, input, "a string");
        var text = input.GetString()!;
        return text.Length <= MostCharacters
            ? Utf8.UTF8.GetBytes(text)
            : throw new InputException(field, $"{field}: {text.Length} characters, expected at most {MostCharacters}");
    }

    /// <summary>A text that was kept.</summary>
    public static JsonElement UnpackText(ReadOnlySpan<byte> packed)
    {
        var text = Utf8.UTF8.GetString(packed);
        return Json(writer => writer.WriteStringValue(text));
    }

    protected override byte[] Read(JsonElement input, string field) => PackText(input, field);

    public override JsonElement Unpack(ReadOnlySpan<byte> packed) => UnpackText(packed);

    public override Tensor Encode(IReadOnlyList<byte[]> rows)
    {
        var inputs = zeros(rows.Count, features);
        var room = MemoryMarshal.Cast<byte, float>(inputs.bytes);
        for (var i = 0; i < rows.Count; i++) Count(Utf8.UTF8.GetString(rows[i]), room.Slice(i * features, features));
        return inputs;
    }

    private void Count(string text, Span<float> row)
    {
        foreach (var ngram in new TextNgrams(text, wordNgrams, characterNgrams).All())
            row[(int)(ngram & (uint)(features - 1))] += (ngram >> 63) == 0 ? 1 : -1;
        var squares = 0.0;
        foreach (ref var value in row)
        {
            if (value == 0) continue;
            value = MathF.CopySign(1 + MathF.Log(MathF.Abs(value)), value);
            squares += value * value;
        }
        if (squares == 0) return;
        var length = (float)Math.Sqrt(squares);
        foreach (ref var value in row) value /= length;
    }
}
