using Engram.Analytic;
using Engram.Models;
using TorchSharp.Modules;

namespace Engram.Persistence.Onnx;

/// <summary>The library's backbones as nodes. A new backbone adds one line.</summary>
internal static class OnnxBackbones
{
    private const string Path = "backbone";

    /// <summary>Adds a backbone; returns the features, <c>[batch, features]</c>.</summary>
    /// <exception cref="NotSupportedException">A backbone of another kind.</exception>
    /// <param name="graph">The graph.</param>
    /// <param name="backbone">The backbone.</param>
    /// <param name="input">Scaled samples, <c>[batch, shape]</c>.</param>
    /// <param name="shape">Of one sample.</param>
    public static string Add(OnnxGraph graph, Backbone backbone, string input, IReadOnlyList<long> shape) => backbone switch
    {
        Mlp { Gates: null } mlp => Hidden(graph, mlp, graph.Flatten($"{Path}.flat", input)),
        RawInputs => graph.Flatten($"{Path}.flat", input),
        CosineMlp mlp => Hidden(graph, mlp, CosineFront(graph, mlp, input)),
        PatchBackbone patches => OnnxPatches.Add(graph, Path, patches.Response, input, shape),
        ProgressiveMlp progressive => Columns(graph, progressive, input)[progressive.Active],
        DigitsCnn or LeNet5 => graph.Chain($"{Path}.layers", Child(backbone, "layers"), input),
        ResNet resNet => OfResNet(graph, resNet, input),
        _ => throw new NotSupportedException(
            $"backbone: {backbone.Architecture}, expected Mlp without gates, CosineMlp, ProgressiveMlp, RawInputs, DigitsCnn, LeNet5, ResNet or PatchBackbone, which ONNX export knows"),
    };

    /// <summary>Adds all columns of a progressive network; returns the features of each, <c>[batch, features]</c>.</summary>
    public static string[] Columns(OnnxGraph graph, ProgressiveMlp backbone, string input)
    {
        var flat = graph.Flatten($"{Path}.flat", input);
        var hidden = new List<string[]>();
        foreach (var (name, column) in backbone.named_children())
        {
            var path = $"{Path}.{name}";
            var layers = new List<string>();
            foreach (var (own, layer) in column.named_children().Where(child => child.name.StartsWith("fc", StringComparison.Ordinal)))
            {
                var sum = graph.Layer($"{path}.{own}", layer, layers.Count == 0 ? flat : layers[^1]);
                if (layers.Count > 0 && hidden.Count > 0)
                    sum = graph.Node("Add", $"{path}.{own}.sum",
                        [sum, Lateral(graph, path, column, own["fc".Length..], [.. hidden.Select(earlier => earlier[layers.Count - 1])])]);
                layers.Add(graph.Relu($"{path}.{own}.relu", sum));
            }
            hidden.Add([.. layers]);
        }
        return [.. hidden.Select(layers => layers[^1])];
    }

    // U σ(V α h) of the layers below in all earlier columns.
    private static string Lateral(OnnxGraph graph, string path, nn.Module column, string number, string[] below)
    {
        var all = below.Length == 1 ? below[0] : graph.Node("Concat", $"{path}.below{number}", below, ("axis", 1L));
        var scaled = graph.Node("Mul", $"{path}.scaled{number}",
            [all, graph.Constant($"{path}.alpha{number}", column.get_parameter($"alpha{number}")!)]);
        var reduced = graph.Relu($"{path}.v{number}.relu", graph.Layer($"{path}.v{number}", Child(column, $"v{number}"), scaled));
        return graph.Layer($"{path}.u{number}", Child(column, $"u{number}"), reduced);
    }

    private static string CosineFront(OnnxGraph graph, CosineMlp mlp, string input)
    {
        var pixels = graph.Node("Reshape", $"{Path}.pixels",
            [graph.Flatten($"{Path}.flat", input), graph.Constant($"{Path}.pixels.shape", 0, -1, mlp.Basis.size(0))]); // [batch, channels, pixels]
        return graph.Flatten($"{Path}.coefficients",
            graph.Node("MatMul", $"{Path}.cosines", [pixels, graph.Constant($"{Path}.basis", mlp.Basis)]));
    }

    private static string Hidden(OnnxGraph graph, Backbone mlp, string hidden)
    {
        foreach (var (name, layer) in mlp.named_children())
            hidden = graph.Relu($"{Path}.{name}.relu", graph.Layer($"{Path}.{name}", layer, hidden));
        return hidden;
    }

    private static string OfResNet(OnnxGraph graph, ResNet resNet, string input)
    {
        var maps = ConvolutionAndNorm(graph, Path, resNet, "1", input);
        maps = graph.Relu($"{Path}.relu", maps);
        foreach (var (stage, blocks) in resNet.named_children().Where(child => child.module is Sequential))
            foreach (var (place, block) in blocks.named_children())
                maps = Block(graph, $"{Path}.{stage}.{place}", block, maps);
        return graph.Flatten($"{Path}.flat", graph.Node("GlobalAveragePool", $"{Path}.mean", [maps]));
    }

    private static string Block(OnnxGraph graph, string path, nn.Module block, string input)
    {
        var inner = graph.Relu($"{path}.relu1", ConvolutionAndNorm(graph, path, block, "1", input));
        inner = ConvolutionAndNorm(graph, path, block, "2", inner);
        return graph.Relu($"{path}.relu2", graph.Node("Add", $"{path}.sum", [inner, Shortcut(graph, path, block, input)]));
    }

    private static string Shortcut(OnnxGraph graph, string path, nn.Module block, string input)
    {
        if (block.named_children().FirstOrDefault(child => child.name == "shortcut").module is { } projection)
            return graph.Chain($"{path}.shortcut", projection, input);
        var first = (Conv2d)Child(block, "conv1");
        var (stride, extra) = (first.stride![0], first.out_channels - first.in_channels);
        if (stride == 1 && extra == 0) return input;
        // Option A: every second pixel, and maps of zeros on both sides.
        var half = graph.Node("Slice", $"{path}.half",
            [
                input, graph.Constant($"{path}.half.starts", 0, 0), graph.Constant($"{path}.half.ends", long.MaxValue, long.MaxValue),
                graph.Constant($"{path}.half.axes", 2, 3), graph.Constant($"{path}.half.steps", stride, stride),
            ]);
        return graph.Node("Pad", $"{path}.pad",
            [half, graph.Constant($"{path}.pad.sizes", 0, extra / 2, 0, 0, 0, extra - (extra / 2), 0, 0)]);
    }

    private static string ConvolutionAndNorm(OnnxGraph graph, string path, nn.Module owner, string number, string input) =>
        graph.Layer($"{path}.bn{number}", Child(owner, $"bn{number}"),
            graph.Layer($"{path}.conv{number}", Child(owner, $"conv{number}"), input));

    private static nn.Module Child(nn.Module owner, string name) =>
        owner.named_children().Single(child => child.name == name).module;
}
