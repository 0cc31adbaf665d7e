using Engram.Models;

namespace Engram.Persistence.Onnx;

/// <summary><see cref="InputScaling"/> as nodes.</summary>
internal static class OnnxScaling
{
    private const double LargestByte = 255;

    /// <summary>Adds the scaling of samples as stored; returns float32 of the same shape.</summary>
    /// <exception cref="NotSupportedException">Channels that the samples do not have.</exception>
    public static string Add(OnnxGraph graph, InputScaling scaling, string input, IReadOnlyList<long> shape, ScalarType type)
    {
        if (type == ScalarType.Byte)
        {
            input = graph.Node("Cast", "scaling.float", [input], ("to", (long)OnnxGraph.Float));
            input = graph.Node("Div", "scaling.unit", [input, graph.Constant("scaling.largest", LargestByte)]);
        }
        if (scaling is { Mean: 0, Std: 1, ChannelMean: null, ChannelStd: null }) return input;
        var centred = graph.Node("Sub", "scaling.centred", [input, Row(graph, "scaling.mean", scaling.ChannelMean, scaling.Mean, shape)]);
        return graph.Node("Div", "scaling.scaled", [centred, Row(graph, "scaling.std", scaling.ChannelStd, scaling.Std, shape)]);
    }

    private static string Row(
        OnnxGraph graph, string name, IReadOnlyList<double>? channels, double otherwise, IReadOnlyList<long> shape)
    {
        if (channels is null) return graph.Constant(name, otherwise);
        if (shape.Count != 3 || shape[0] != channels.Count)
            throw new NotSupportedException(
                $"scaling: {channels.Count} channels for samples of [{string.Join(", ", shape)}], expected as many as the samples have");
        using var scope = NewDisposeScope();
        return graph.Constant(name, tensor(channels.Select(value => (float)value).ToArray()).view(1, channels.Count, 1, 1));
    }
}
