using Engram.Learning;

namespace Engram.Models;

/// <summary>Scaling, backbone and growable head in one module.</summary>
public sealed partial class ContinualModel : nn.Module<Tensor, Tensor>
{
    /// <summary>Creates a model that knows no class yet.</summary>
    /// <param name="backbone">Gives the features.</param>
    /// <param name="head">Gives the logits; by default linear.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <exception cref="ArgumentException">The head reads other features than the backbone gives.</exception>
    public ContinualModel(Backbone backbone, IncrementalHead? head = null, InputScaling? scaling = null)
        : base("model")
    {
        ArgumentNullException.ThrowIfNull(backbone);
        Backbone = backbone;
        Head = head ?? new LinearHead(backbone.FeatureCount);
        Scaling = scaling ?? new InputScaling();
        if (Head.FeatureCount != backbone.FeatureCount)
            throw new ArgumentException(
                $"head: reads {Head.FeatureCount} features, expected {backbone.FeatureCount}", nameof(head));
        register_module("backbone", Backbone);
        register_module("head", Head);
    }

    /// <summary>The feature extractor.</summary>
    public Backbone Backbone { get; }

    /// <summary>The growing last layer.</summary>
    public IncrementalHead Head { get; }

    /// <summary>How stored samples become inputs.</summary>
    public InputScaling Scaling { get; }

    /// <summary>What the backbone computes its products in.</summary>
    internal Precision Precision
    {
        get => (Backbone as IMixedPrecision)?.Precision ?? Precision.Float32;
        set
        {
            if (value != Precision.Float32) TorchRuntime.KeepOffTiles();
            if (Backbone is IMixedPrecision mixed) mixed.Precision = value;
            else if (value != Precision.Float32)
                throw new ArgumentException($"Precision: {value}, expected Float32, the one that {Backbone.Architecture} computes in");
        }
    }

    /// <summary>Parameters and buffers by name.</summary>
    internal IEnumerable<(string Name, Tensor Tensor)> NamedTensors() =>
        named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter))
            .Concat(named_buffers().Select(pair => (pair.name, pair.buffer)));

    /// <summary>Logits of scaled inputs, <c>[batch, classes]</c>.</summary>
    /// <param name="input">float32 <c>[batch, ...]</c>.</param>
    public override Tensor forward(Tensor input) => Head.forward(Backbone.forward(input));
}
