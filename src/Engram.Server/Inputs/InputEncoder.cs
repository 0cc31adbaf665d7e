using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Client;
using static TorchSharp.torch;

namespace Engram.Server.Inputs;

/// <summary>Turns inputs as they come into bytes to keep, and kept bytes into what a model reads.</summary>
/// <remarks>
/// What is kept is what came, not what was made of it: it can be exported, and read again by another version's encoder. Immutable and
/// safe for use by many threads at once.
/// </remarks>
internal abstract class InputEncoder : IDisposable
{
    /// <summary>Shape of one sample as the model reads it.</summary>
    public abstract IReadOnlyList<long> Shape { get; }

    /// <summary>Element type of what <see cref="Encode"/> gives.</summary>
    public virtual ScalarType Type => ScalarType.Float32;

    /// <summary>Numbers in one sample.</summary>
    public int Width => checked((int)Shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>Names of the numbers in one sample; null calls them by their place.</summary>
    public virtual IReadOnlyList<string>? Names => null;

    /// <summary>What was measured on the first samples, to be kept with the version; null where nothing is measured.</summary>
    public virtual JsonObject? Measured => null;

    /// <summary>Whether <see cref="Measure"/> changes anything.</summary>
    public virtual bool Measures => false;

    /// <summary>The encoder of a schema.</summary>
    /// <param name="schema">A schema that was checked.</param>
    /// <param name="encoders">The folder of ONNX encoders.</param>
    public static InputEncoder For(InputSchema schema, string encoders) => schema.Kind switch
    {
        InputKind.Vector => new VectorEncoder(schema.Size!.Value),
        InputKind.Image => new ImageEncoder(schema.Channels, schema.Height!.Value, schema.Width!.Value),
        InputKind.Text when schema.Encoder is { } name => new OnnxTextEncoder(OnnxModel.PathOf(encoders, name)),
        InputKind.Text => new TextEncoder(schema.Features, schema.WordNgrams, schema.CharacterNgrams),
        InputKind.Tabular => new TabularEncoder(schema.Columns),
        _ => new OnnxEncoder(OnnxModel.PathOf(encoders, schema.Encoder!), schema.Size!.Value),
    };

    /// <summary>Checks an input and packs it.</summary>
    /// <param name="input">The input.</param>
    /// <param name="field">What to call it in errors, for example <c>input</c> or <c>inputs[3]</c>.</param>
    /// <exception cref="InputException">It is not what the schema says.</exception>
    public byte[] Pack(JsonElement input, string field)
    {
        try
        {
            return Read(input, field);
        }
        catch (InvalidOperationException) // half of a surrogate pair, escaped, or bytes that are no UTF-8: such text cannot even be shown
        {
            throw new InputException(field, $"{field}: text in it is damaged, expected UTF-8 of whole characters");
        }
    }

    /// <summary>The input again, as it came or in an equal form.</summary>
    /// <param name="packed">What <see cref="Pack"/> gave.</param>
    public abstract JsonElement Unpack(ReadOnlySpan<byte> packed);

    /// <summary>What a model reads, <c>[rows, ...<see cref="Shape"/>]</c>, in the caller's scope.</summary>
    /// <param name="rows">Packed inputs.</param>
    public abstract Tensor Encode(IReadOnlyList<byte[]> rows);

    /// <summary>An encoder that has measured what its schema left open.</summary>
    /// <param name="first">The first samples ever learnt, packed.</param>
    public virtual InputEncoder Measure(IReadOnlyList<byte[]> first) => this;

    /// <summary>An encoder with what was measured before.</summary>
    /// <param name="measured">As <see cref="Measured"/> gave it.</param>
    public virtual InputEncoder With(JsonObject? measured) => this;

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>What <see cref="Pack"/> does, where all text is whole.</summary>
    protected abstract byte[] Read(JsonElement input, string field);

    /// <summary>An input of another kind than expected.</summary>
    protected static InputException Wrong(string field, JsonElement found, string expected)
    {
        var text = found.ValueKind == JsonValueKind.Undefined ? "nothing" : found.GetRawText();
        return new InputException(field, $"{field}: {(text.Length <= 60 ? text : text[..57] + "...")}, expected {expected}");
    }

    /// <summary>JSON as an element of its own.</summary>
    protected static JsonElement Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) write(writer);
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
