using Engram.Models;

namespace Engram.Persistence.Onnx;

/// <summary>The library's heads as nodes. A new head adds one line.</summary>
internal static class OnnxHeads
{
    private const float LeastNorm = 1e-12f; // as torch's normalize

    /// <summary>Adds a head; returns the logits, <c>[batch, classes]</c>.</summary>
    /// <exception cref="NotSupportedException">A head of another kind.</exception>
    /// <param name="graph">The graph.</param>
    /// <param name="head">The head.</param>
    /// <param name="features"><c>[batch, features]</c>.</param>
    /// <param name="path">What its nodes and constants are called by.</param>
    public static string Add(OnnxGraph graph, IncrementalHead head, string features, string path = "head")
    {
        var parameters = head.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        return head switch
        {
            LinearHead => graph.Linear(path, parameters["weight"], parameters["bias"], features),
            CosineHead => Cosine(graph, parameters["weight"], parameters["eta"], features, path),
            _ => throw new NotSupportedException($"head: {head.Architecture}, expected linear or cosine, which ONNX export knows"),
        };
    }

    /// <summary>Puts the outputs of other tasks out of the running: minus infinity, as in prediction.</summary>
    /// <param name="graph">Gets one more input, the number of the task.</param>
    /// <param name="tasks">The task of each output; −1 for none.</param>
    /// <param name="logits"><c>[batch, classes]</c>.</param>
    public static string OfTask(OnnxGraph graph, long[] tasks, string logits)
    {
        var task = graph.Input("task", OnnxGraph.Int64, 1);
        var own = graph.Node("Equal", "task.own", [graph.Constant("task.ofOutput", tasks), task]); // [classes]
        return graph.Node("Where", "task.mask", [own, logits, graph.Constant("task.none", double.NegativeInfinity)]);
    }

    /// <summary>Takes each output from the logits over the column that its task has.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="columns">The column of each output.</param>
    /// <param name="logits">Of each column, <c>[batch, classes]</c>.</param>
    public static string OfColumns(OnnxGraph graph, long[] columns, IReadOnlyList<string> logits)
    {
        var scores = logits[0];
        for (var column = 1; column < logits.Count; column++)
        {
            var own = graph.Node("Equal", $"task.column{column}.own",
                [graph.Constant("task.columnOfOutput", columns), graph.Constant($"task.column{column}", (long)column)]);
            scores = graph.Node("Where", $"task.column{column}.scores", [own, logits[column], scores]);
        }
        return scores;
    }

    private static string Cosine(OnnxGraph graph, Tensor weight, Tensor eta, string features, string path)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var norm = graph.Node("ReduceL2", $"{path}.norm", [features], ("axes", (long[])[1]), ("keepdims", 1L));
        var floor = graph.Node("Max", $"{path}.floor", [norm, graph.Constant($"{path}.leastNorm", LeastNorm)]);
        var unit = graph.Node("Div", $"{path}.unit", [features, floor]);
        // The rows do not change any more, so they are stored at length 1.
        var cosines = graph.Linear(path, nn.functional.normalize(weight.detach(), dim: 1), null, unit);
        return graph.Node("Mul", $"{path}.scaled", [cosines, graph.Constant($"{path}.eta", eta)]);
    }
}
