using Engram.Analytic;

namespace Engram.Persistence.Onnx;

/// <summary>Analytic learners as nodes: the extractor in float32, the scores in float64, as they compute.</summary>
internal static class OnnxAnalytic
{
    private const double LeastNorm = 1e-12; // as torch's normalize

    /// <summary>Adds an extractor; returns the features, float32 <c>[batch, features]</c>.</summary>
    /// <exception cref="NotSupportedException">One that is not of the library.</exception>
    public static string Features(OnnxGraph graph, FeatureExtractor extractor, string input, IReadOnlyList<long> shape) => extractor switch
    {
        RawFeatures => graph.Flatten("extractor.flat", input),
        RandomFeatures random => Random(graph, random, graph.Flatten("extractor.flat", input)),
        PatchFeatures patches => OnnxPatches.Add(graph, "extractor", patches.Response, input, shape),
        BackboneFeatures features => OnnxBackbones.Add(graph, features.Backbone, input, shape),
        _ => throw new NotSupportedException(
            $"extractor: {extractor.GetType().Name}, expected RawFeatures, RandomFeatures, PatchFeatures or BackboneFeatures, which ONNX export knows"),
    };

    /// <summary>Adds the scores, float32 <c>[batch, classes]</c>.</summary>
    public static string Scores(OnnxGraph graph, AnalyticForm form, string features)
    {
        var exact = graph.Node("Cast", "features.exact", [features], ("to", (long)OnnxGraph.Double));
        var scores = form switch
        {
            LinearForm linear => graph.Node("MatMul", "head.products", [exact, graph.Constant("head.weight", linear.Weights)]),
            DistanceForm distances => Distances(graph, distances, exact),
            _ => throw new NotSupportedException($"form: {form.GetType().Name}, expected one that ONNX export knows"),
        };
        var sums = graph.Node("Add", "head.sums", [scores, graph.Constant("head.offset", form.Offset)]);
        return graph.Node("Cast", "head.scores", [sums], ("to", (long)OnnxGraph.Float));
    }

    private static string Random(OnnxGraph graph, RandomFeatures random, string flat)
    {
        var (weights, bias, activation) = random.Projection;
        var projected = graph.Node("Gemm", "extractor.projected",
            [flat, graph.Constant("extractor.weights", weights), graph.Constant("extractor.bias", bias)]);
        if (activation == RandomActivation.Relu) return graph.Relu("extractor.relu", projected);
        return graph.Node("Mul", "extractor.scaled",
            [graph.Node("Cos", "extractor.cos", [projected]), graph.Constant("extractor.scale", Math.Sqrt(2.0 / random.FeatureCount))]);
    }

    // −½‖L_c(φ̂ − μ_c)‖² for all classes at once, [classes, batch, features] in between.
    private static string Distances(OnnxGraph graph, DistanceForm form, string features)
    {
        using var scope = NewDisposeScope();
        string Number(string name, double value) => graph.Constant(name, tensor(value));
        if (form.Tukey != 1)
        {
            var power = graph.Node("Pow", "head.power", [graph.Node("Abs", "head.abs", [features]), Number("head.tukey", form.Tukey)]);
            features = graph.Node("Mul", "head.transformed", [power, graph.Node("Sign", "head.sign", [features])]);
        }
        var norm = graph.Node("ReduceL2", "head.norm", [features], ("axes", (long[])[1]), ("keepdims", 1L));
        var floor = graph.Node("Max", "head.floor", [norm, Number("head.leastNorm", LeastNorm)]);
        var unit = graph.Node("Div", "head.unit", [features, floor]);
        var apart = graph.Node("Sub", "head.apart", [unit, graph.Constant("head.means", form.Means.unsqueeze(1))]);
        var white = graph.Node("MatMul", "head.white", [apart, graph.Constant("head.whitening", form.Whitening.transpose(1, 2))]);
        var squares = graph.Node("ReduceSumSquare", "head.squares", [white], ("axes", (long[])[2]), ("keepdims", 0L));
        var rows = graph.Node("Transpose", "head.rows", [squares], ("perm", (long[])[1, 0]));
        return graph.Node("Mul", "head.halves", [rows, Number("head.half", -0.5)]);
    }
}
