namespace Engram.Persistence.Onnx;

/// <summary>Filters, threshold and averaging over a grid, of <see cref="Analytic.PatchFeatures"/> and <see cref="Analytic.PatchBackbone"/>.</summary>
internal static class OnnxPatches
{
    /// <summary>Adds them; returns the features, <c>[batch, features]</c>.</summary>
    /// <exception cref="NotSupportedException">Samples that are no images.</exception>
    public static string Add(
        OnnxGraph graph, string path, (Tensor Filters, Tensor Bias, int Grid) response, string input, IReadOnlyList<long> shape)
    {
        var side = response.Filters.size(2);
        if (shape.Count != 3 || shape[1] < side || shape[2] < side)
            throw new NotSupportedException(
                $"patches: samples of [{string.Join(", ", shape)}], expected [channels, height, width] of {side} or more");
        var maps = graph.Node("Conv", $"{path}.conv",
            [input, graph.Constant($"{path}.filters", response.Filters), graph.Constant($"{path}.bias", response.Bias)],
            ("kernel_shape", (long[])[side, side]));
        maps = graph.Relu($"{path}.relu", maps);
        using var scope = NewDisposeScope();
        // ONNX has no adaptive pooling; a mean over rectangles is one over rows and then one over columns.
        maps = graph.Node("MatMul", $"{path}.rows", [graph.Constant($"{path}.ofRows", Means(shape[1] - side + 1, response.Grid)), maps]);
        maps = graph.Node("MatMul", $"{path}.columns", [maps, graph.Constant($"{path}.ofColumns", Means(shape[2] - side + 1, response.Grid).t())]);
        return graph.Flatten($"{path}.flat", maps);
    }

    // [grid, length]: row i is the mean over places ⌊i · length/grid⌋ to ⌈(i + 1) · length/grid⌉, as torch's adaptive_avg_pool2d.
    private static Tensor Means(long length, int grid)
    {
        var means = new float[grid * length];
        for (var i = 0; i < grid; i++)
        {
            var (from, to) = (i * length / grid, (((i + 1) * length) + grid - 1) / grid);
            for (var place = from; place < to; place++) means[(i * length) + place] = 1f / (to - from);
        }
        return tensor(means).view(grid, length);
    }
}
