using System.Text.Json;
using Engram.Client;
using Engram.Server.Inputs;
using TorchSharp;

namespace Engram.Server.Tests.Engine;

public sealed class OnnxTextEncoderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-encoders-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_model_of_strings_gets_the_texts_as_they_are()
    {
        SmallOnnx.OfStrings(Path.Combine(_folder, "numbers.onnx"));
        using var encoder = Of("numbers.onnx");

        Assert.Equal([1], encoder.Shape);
        Assert.Equal([12.5f, -3], Features(encoder, "12.5", "-3"));
    }

    [Fact]
    public void Word_pieces_are_looked_up_and_averaged_over_the_tokens_of_each_text()
    {
        SmallOnnx.OfTokens(_folder);
        using var encoder = Of(SmallOnnx.Tokens);

        // [CLS] my card ##s [SEP], and a shorter text that is padded beside it.
        float[] Mean(params int[] pieces) => [.. Enumerable.Range(0, 2).Select(k => pieces.Average(piece => SmallOnnx.Embedding(piece)[k]))];
        float[] expected = [.. Mean(2, 7, 5, 8, 3), .. Mean(2, 6, 3)];
        Assert.All(Features(encoder, "My cards", "LOST").Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
    }

    [Fact]
    public void A_long_text_is_cut_and_a_strange_one_is_unknown()
    {
        SmallOnnx.OfTokens(_folder);
        using var encoder = Of(SmallOnnx.Tokens);

        var features = Features(encoder, string.Join(' ', Enumerable.Repeat("card", 10_000)), "\u0000 \ud83e\udde0");
        Assert.All(features, feature => Assert.True(float.IsFinite(feature)));
        Assert.Equal(SmallOnnx.Embedding(5)[0], features[0], 0.2f);
    }

    [Fact]
    public void What_reads_no_texts_or_lacks_its_vocabulary_is_refused()
    {
        SmallOnnx.OfTokens(_folder);
        File.Delete(Path.Combine(_folder, "tokens.vocab.txt"));
        SmallOnnx.OfNumbers(Path.Combine(_folder, "floats.onnx"));
        File.WriteAllText(Path.Combine(_folder, "none.onnx"), "no model");

        Assert.Contains("tokens.vocab.txt is missing", Refused(SmallOnnx.Tokens), StringComparison.Ordinal);
        Assert.Contains("expected one input of strings, or of input_ids", Refused("floats.onnx"), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Refused("none.onnx"), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "tokens.vocab.txt"), "card\nlost\n");
        Assert.Contains("no vocabulary of word pieces", Refused(SmallOnnx.Tokens), StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_knows_the_file_it_learnt_with()
    {
        SmallOnnx.OfTokens(_folder);
        using var encoder = Of(SmallOnnx.Tokens);
        using var same = Of(SmallOnnx.Tokens);
        Assert.Same(same, same.With(encoder.Measured));

        SmallOnnx.OfTokens(_folder, scale: 2);
        using var other = Of(SmallOnnx.Tokens);
        Assert.Contains("another file", Assert.Throws<InvalidDataException>(() => other.With(encoder.Measured)).Message, StringComparison.Ordinal);
    }

    private InputEncoder Of(string name) => InputEncoder.For(new InputSchema { Kind = InputKind.Text, Encoder = name }, _folder);

    private string Refused(string name)
    {
        var problem = Assert.Throws<SpecificationException>(() => Of(name));
        Assert.Equal("input.encoder", problem.Field);
        return problem.Message;
    }

    private static float[] Features(InputEncoder encoder, params string[] texts)
    {
        using var scope = torch.NewDisposeScope();
        return encoder.Encode([.. texts.Select(text => encoder.Pack(JsonSerializer.SerializeToElement(text), "input"))]).data<float>().ToArray();
    }
}
