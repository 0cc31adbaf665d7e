using Engram.Models;

namespace Engram.Persistence.Onnx;

/// <summary>The library's heads as nodes. A new head adds one line.</summary>
internal static class OnnxHeads
{
    private const float LeastNorm = 1e-12f; // as torch's normalize

    /// <summary>Adds a head; returns the logits, <c>[batch, classes]</c>.</summary>
    /// <exception cref="NotSupportedException">A head of another kind.</exception>
    public static string Add(OnnxGraph graph, IncrementalHead head, string features)
    {
        var parameters = head.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        return head switch
        {
            LinearHead => graph.Linear("head", parameters["weight"], parameters["bias"], features),
            CosineHead => Cosine(graph, parameters["weight"], parameters["eta"], features),
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

    private static string Cosine(OnnxGraph graph, Tensor weight, Tensor eta, string features)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var norm = graph.Node("ReduceL2", "head.norm", [features], ("axes", (long[])[1]), ("keepdims", 1L));
        var floor = graph.Node("Max", "head.floor", [norm, graph.Constant("head.leastNorm", LeastNorm)]);
        var unit = graph.Node("Div", "head.unit", [features, floor]);
        // The rows do not change any more, so they are stored at length 1.
        var cosines = graph.Linear("head", nn.functional.normalize(weight.detach(), dim: 1), null, unit);
        return graph.Node("Mul", "head.scaled", [cosines, graph.Constant("head.eta", eta)]);
    }
}
