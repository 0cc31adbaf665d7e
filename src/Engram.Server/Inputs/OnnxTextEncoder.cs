using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;
using static TorchSharp.torch;
using Utf8 = System.Text.Encoding;

namespace Engram.Server.Inputs;

/// <summary>
/// Texts that an ONNX model of the user's turns into features; kept as UTF-8. A model whose input is strings, <c>[batch]</c> or
/// <c>[batch, 1]</c>, gets them as they are. One that takes <c>input_ids</c> (and <c>attention_mask</c>, <c>token_type_ids</c>) gets the
/// word pieces of the vocabulary beside it, as BERT and sentence transformers do.
/// </summary>
/// <remarks>
/// An output per token, <c>[batch, tokens, features]</c>, is averaged over a text's tokens (Reimers and Gurevych 2019, "Sentence-BERT",
/// section 3, MEAN). A vocabulary without an upper-case letter is one of lower-cased texts.
/// </remarks>
internal sealed class OnnxTextEncoder : InputEncoder
{
    private const int MostTokens = 256;
    private const int BatchSize = 32;
    private const string Ids = "input_ids", Mask = "attention_mask", Types = "token_type_ids";
    private static readonly string[] s_tokenInputs = [Ids, Mask, Types];

    private readonly OnnxModel _model;
    private readonly string[] _inputs;
    private readonly int[] _dimensions; // of the first input
    private readonly BertTokenizer? _tokenizer; // null where the model reads strings

    /// <exception cref="SpecificationException">The file is no model, one that reads no texts, or its vocabulary is missing.</exception>
    public OnnxTextEncoder(string path)
    {
        _model = new OnnxModel(path);
        try
        {
            var metadata = _model.Session.InputMetadata;
            _inputs = [.. metadata.Keys];
            var strings = metadata.Count == 1 && metadata.Values.First().ElementType == typeof(string);
            if (!strings && !(metadata.ContainsKey(Ids) && metadata.All(input => s_tokenInputs.Contains(input.Key) && input.Value.ElementType == typeof(long))))
                throw OnnxModel.Refused(
                    $"{_model.Name} takes {string.Join(", ", metadata.Select(input => $"{input.Key} ({input.Value.ElementType.Name})"))}, "
                    + $"expected one input of strings, or of {string.Join(", ", s_tokenInputs)} (Int64)");
            _dimensions = metadata[strings ? _inputs[0] : Ids].Dimensions;
            if (!strings) _tokenizer = Tokenizer(Path.ChangeExtension(path, ".vocab.txt"));
            Shape = [Encoded(["1"]).Length];
        }
        catch (Exception problem)
        {
            _model.Dispose();
            if (problem is not OnnxRuntimeException) throw;
            throw OnnxModel.Refused($"{_model.Name} fails on a text, expected features ({problem.Message.Split('\n')[0]})");
        }
    }

    public override IReadOnlyList<long> Shape { get; }

    public override JsonObject? Measured => _model.Measured;

    protected override byte[] Read(JsonElement input, string field) => TextEncoder.PackText(input, field);

    public override JsonElement Unpack(ReadOnlySpan<byte> packed) => TextEncoder.UnpackText(packed);

    public override Tensor Encode(IReadOnlyList<byte[]> rows)
    {
        var width = (int)Shape[0];
        var features = empty(rows.Count, width);
        var room = MemoryMarshal.Cast<byte, float>(features.bytes);
        var step = _dimensions[0] == 1 ? 1 : BatchSize;
        for (var start = 0; start < rows.Count; start += step)
            Encoded([.. rows.Skip(start).Take(step).Select(row => Utf8.UTF8.GetString(row))]).CopyTo(room[(start * width)..]);
        return features;
    }

    public override InputEncoder With(JsonObject? measured)
    {
        _model.Check(measured);
        return this;
    }

    public override void Dispose() => _model.Dispose();

    // Features of some texts, one after another.
    private float[] Encoded(string[] texts) => _tokenizer is null ? OfStrings(texts) : OfTokens(texts);

    private float[] OfStrings(string[] texts)
    {
        using var input = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, _dimensions.Length == 1 ? [texts.Length] : [texts.Length, 1]);
        for (var i = 0; i < texts.Length; i++) input.StringTensorSetElementAt(texts[i], i);
        return _model.Run(_inputs, [input]).Values;
    }

    private float[] OfTokens(string[] texts)
    {
        var most = _dimensions[1] > 0 ? _dimensions[1] : MostTokens; // a model of one length gets all texts padded to it
        var tokens = Array.ConvertAll(texts, text => _tokenizer!.EncodeToIds(text, most, out _, out _));
        var length = _dimensions[1] > 0 ? most : tokens.Max(some => some.Count);
        var (ids, mask) = (new long[texts.Length * length], new long[texts.Length * length]);
        Array.Fill(ids, _tokenizer!.PaddingTokenId);
        for (var i = 0; i < texts.Length; i++)
            for (var t = 0; t < tokens[i].Count; t++) (ids[(i * length) + t], mask[(i * length) + t]) = (tokens[i][t], 1);
        long[] shape = [texts.Length, length];
        OrtValue[] inputs = [.. _inputs.Select(name => OrtValue.CreateTensorValueFromMemory(
            name switch { Ids => ids, Mask => mask, _ => new long[ids.Length] }, shape))];
        try
        {
            var (values, given) = _model.Run(_inputs, inputs);
            return given.Length == 3 ? MeanOverTokens(values, mask, texts.Length, length, (int)given[2]) : values;
        }
        finally
        {
            foreach (var input in inputs) input.Dispose();
        }
    }

    private static float[] MeanOverTokens(float[] values, long[] mask, int texts, int length, int width)
    {
        var means = new float[texts * width];
        for (var i = 0; i < texts; i++)
        {
            var mean = means.AsSpan(i * width, width);
            var tokens = mask.AsSpan(i * length, length);
            var count = 0;
            foreach (var one in tokens) count += (int)one;
            for (var t = 0; t < length; t++)
                if (tokens[t] == 1)
                    for (var k = 0; k < width; k++) mean[k] += values[(((i * length) + t) * width) + k] / count;
        }
        return means;
    }

    private static BertTokenizer Tokenizer(string vocabulary)
    {
        if (!File.Exists(vocabulary))
            throw OnnxModel.Refused($"{Path.GetFileName(vocabulary)} is missing, expected the vocabulary of the model beside it, a word piece a line");
        var cased = File.ReadLines(vocabulary).Any(piece => !piece.StartsWith('[') && piece.Any(char.IsUpper));
        try
        {
            return BertTokenizer.Create(vocabulary, new BertOptions { LowerCaseBeforeTokenization = !cased });
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException or InvalidDataException)
        {
            throw OnnxModel.Refused($"{Path.GetFileName(vocabulary)} is no vocabulary of word pieces with [UNK], [CLS], [SEP] and [PAD] ({problem.Message.Split('\n')[0]})");
        }
    }
}
