using Engram.Learning;

namespace Engram.Models;

/// <summary>A feature extractor: <c>[batch, ...]</c> float32 in, <c>[batch, features]</c> out.</summary>
public abstract class Backbone : nn.Module<Tensor, Tensor>
{
    /// <summary>Creates a feature extractor.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="featureCount">Width of the output.</param>
    protected Backbone(string name, int featureCount) : base(name)
    {
        TorchRuntime.KeepOffHiddenCaches();
        FeatureCount = featureCount;
    }

    /// <summary>Width of the features.</summary>
    public int FeatureCount { get; }

    /// <summary>What a file must say to build this architecture again, for example <c>mlp 784-400-400</c>.</summary>
    public abstract string Architecture { get; }

    /// <summary>Copies weights by name, buffers of batch normalisation too; names that only the file has are left out.</summary>
    /// <param name="weights">Tensors by name, for example from a safetensors file.</param>
    /// <exception cref="ArgumentException">A weight is missing or has another shape; nothing was copied then.</exception>
    public void LoadWeights(IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var _ = no_grad();
        (string Name, Tensor Own)[] own =
        [
            .. named_parameters().Select(p => (p.name, (Tensor)p.parameter)),
            // The count of batches plays no part in prediction, and many files leave it out.
            .. named_buffers().Where(b => !b.name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                .Select(b => (b.name, b.buffer)),
        ];
        foreach (var (name, value) in own)
        {
            if (!weights.TryGetValue(name, out var given))
                throw new ArgumentException($"weights: {name} is missing, expected all weights of {Architecture}", nameof(weights));
            if (!given.shape.SequenceEqual(value.shape))
                throw new ArgumentException(
                    $"weights: {name} is [{string.Join(", ", given.shape)}], expected [{string.Join(", ", value.shape)}]",
                    nameof(weights));
        }
        foreach (var (name, value) in own) value.copy_(weights[name]);
    }
}

/// <summary>A backbone whose hidden units can be silenced from outside.</summary>
public interface IGatedBackbone
{
    /// <summary>Width of each layer that has a gate.</summary>
    IReadOnlyList<int> GateWidths { get; }

    /// <summary>What the units of each layer are multiplied by, <c>[width]</c> or <c>[batch, width]</c>; null opens all. Not owned.</summary>
    IReadOnlyList<Tensor>? Gates { get; set; }
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
