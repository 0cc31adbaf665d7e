namespace Engram.Models;

/// <summary>A feature extractor: <c>[batch, ...]</c> float32 in, <c>[batch, features]</c> out.</summary>
/// <param name="name">Name of the module.</param>
/// <param name="featureCount">Width of the output.</param>
public abstract class Backbone(string name, int featureCount) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Width of the features.</summary>
    public int FeatureCount { get; } = featureCount;

    /// <summary>What a file must say to build this architecture again, for example <c>mlp 784-400-400</c>.</summary>
    public abstract string Architecture { get; }
}

/// <summary>Any TorchSharp module as a backbone.</summary>
public sealed class ModuleBackbone : Backbone
{
    private readonly nn.Module<Tensor, Tensor> _module;

    /// <summary>Wraps a module.</summary>
    /// <param name="module">Gives <c>[batch, features]</c>.</param>
    /// <param name="featureCount">Width of its output.</param>
    /// <param name="architecture">A name to recognise it by in saved files.</param>
    public ModuleBackbone(nn.Module<Tensor, Tensor> module, int featureCount, string architecture)
        : base("module", featureCount)
    {
        (_module, Architecture) = (module, architecture);
        register_module("module", module);
    }

    /// <inheritdoc/>
    public override string Architecture { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => _module.call(input);
}
