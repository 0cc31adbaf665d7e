using TorchSharp.Modules;

namespace Engram.Persistence.Onnx;

/// <summary>Modules of torch as nodes, as they compute in evaluation mode.</summary>
/// <remarks>Names are the paths of the modules, so that a constant has the name of its parameter, as in a bundle.</remarks>
internal static class OnnxLayers
{
    /// <summary>The children of a module one after another.</summary>
    public static string Chain(this OnnxGraph graph, string path, nn.Module sequence, string input)
    {
        foreach (var (name, module) in sequence.named_children()) input = graph.Layer($"{path}.{name}", module, input);
        return input;
    }

    public static string Layer(this OnnxGraph graph, string path, nn.Module module, string input) => module switch
    {
        Conv2d convolution => graph.Convolution(path, convolution, input),
        BatchNorm2d norm => graph.Norm(path, norm, input),
        Linear linear => graph.Linear(path, linear.weight!, linear.bias, input),
        ReLU => graph.Node("Relu", path, [input]),
        MaxPool2d pool => graph.MaxPool(path, pool, input),
        Flatten { start_dim: 1, end_dim: -1 } => graph.Flatten(path, input),
        Dropout => input,
        Sequential inner => graph.Chain(path, inner, input),
        _ => throw new NotSupportedException($"layer {path}: {module.GetType().Name}, expected one that ONNX export knows"),
    };

    public static string Relu(this OnnxGraph graph, string path, string input) => graph.Node("Relu", path, [input]);

    public static string Flatten(this OnnxGraph graph, string path, string input) =>
        graph.Node("Flatten", path, [input], ("axis", 1L));

    public static string Linear(this OnnxGraph graph, string path, Tensor weight, Tensor? bias, string input)
    {
        List<string> inputs = [input, graph.Constant($"{path}.weight", weight)];
        if (bias is not null) inputs.Add(graph.Constant($"{path}.bias", bias));
        return graph.Node("Gemm", path, inputs, ("transB", 1L));
    }

    private static string Convolution(this OnnxGraph graph, string path, Conv2d layer, string input)
    {
        if (layer is not { groups: 1, padding_mode: PaddingModes.Zeros, padding_type: null } || layer.dilation!.Any(step => step != 1))
            throw new NotSupportedException($"layer {path}: groups, dilation or padding, expected an ordinary convolution");
        List<string> inputs = [input, graph.Constant($"{path}.weight", layer.weight!)];
        if (layer.bias is { } bias) inputs.Add(graph.Constant($"{path}.bias", bias));
        var padding = Pair(layer.padding!);
        return graph.Node("Conv", path, inputs,
            ("kernel_shape", Pair(layer.kernel_size!)), ("strides", Pair(layer.stride!)), ("pads", (long[])[.. padding, .. padding]));
    }

    private static string Norm(this OnnxGraph graph, string path, BatchNorm2d layer, string input) => graph.Node(
        "BatchNormalization", path,
        [
            input, graph.Constant($"{path}.weight", layer.weight!), graph.Constant($"{path}.bias", layer.bias!),
            graph.Constant($"{path}.running_mean", layer.running_mean!), graph.Constant($"{path}.running_var", layer.running_var!),
        ],
        ("epsilon", (float)layer.eps));

    private static string MaxPool(this OnnxGraph graph, string path, MaxPool2d layer, string input)
    {
        if (layer.ceil_mode || layer.padding is { } padding && padding.Any(size => size != 0)
            || layer.dilation is { } dilation && dilation.Any(step => step != 1))
            throw new NotSupportedException($"layer {path}: padding, dilation or ceiling, expected an ordinary max-pooling");
        var size = Pair(layer.kernel_size);
        return graph.Node("MaxPool", path, [input],
            ("kernel_shape", size), ("strides", layer.stride is { Length: > 0 } stride ? Pair(stride) : size));
    }

    private static long[] Pair(long[] sizes) => sizes.Length == 1 ? [sizes[0], sizes[0]] : sizes;
}
