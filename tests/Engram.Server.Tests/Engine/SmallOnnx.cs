using Engram.Persistence.Onnx;
using TorchSharp;

namespace Engram.Server.Tests.Engine;

/// <summary>ONNX encoders small enough to compute by hand.</summary>
internal static class SmallOnnx
{
    public const string Tokens = "tokens.onnx";
    private const int String = 8;
    private const int Pieces = 10;

    private static readonly string[] s_vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "card", "lost", "my", "##s", "is"];

    /// <summary>What <see cref="OfTokens"/> makes of a word piece.</summary>
    public static float[] Embedding(int piece) => [piece, piece * piece];

    /// <summary>A model of strings: the number that is written in each.</summary>
    public static void OfStrings(string path)
    {
        var graph = new OnnxGraph();
        graph.Output(graph.Node("Cast", "features", [graph.Input("text", String, null, 1)], ("to", (long)OnnxGraph.Float)), OnnxGraph.Float, null, 1);
        Write(path, graph);
    }

    /// <summary>A model of word pieces with its vocabulary: two numbers for each piece, 100 and 1e4 for what pads.</summary>
    public static void OfTokens(string folder, float scale = 1)
    {
        using var scope = torch.NewDisposeScope();
        var rows = Enumerable.Range(0, Pieces).SelectMany(piece => piece == 0 ? [100, 1e4f] : Embedding(piece)).Select(value => value * scale);
        var graph = new OnnxGraph();
        var table = graph.Constant("table", torch.tensor(rows.ToArray()).view(Pieces, 2));
        var ids = graph.Input("input_ids", OnnxGraph.Int64, null, null);
        graph.Input("attention_mask", OnnxGraph.Int64, null, null);
        graph.Output(graph.Node("Gather", "features", [table, ids]), OnnxGraph.Float, null, null, 2);
        Write(Path.Combine(folder, Tokens), graph);
        File.WriteAllLines(Path.Combine(folder, "tokens.vocab.txt"), s_vocabulary);
    }

    /// <summary>A model of two numbers, which it gives back.</summary>
    public static void OfNumbers(string path)
    {
        var graph = new OnnxGraph();
        graph.Output(graph.Node("Identity", "features", [graph.Input("numbers", OnnxGraph.Float, null, 2)]), OnnxGraph.Float, null, 2);
        Write(path, graph);
    }

    private static void Write(string path, OnnxGraph graph)
    {
        using var file = File.Create(path);
        new ProtoMessage().Number(1, 8).Message(7, graph.Message).Message(8, new ProtoMessage().Text(1, "").Number(2, 13)).CopyTo(file);
    }
}
