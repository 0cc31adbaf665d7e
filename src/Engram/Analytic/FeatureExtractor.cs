using Engram.Models;

namespace Engram.Analytic;

/// <summary>A fixed map from scaled inputs to features; it never changes, so statistics of its features stay valid.</summary>
public abstract class FeatureExtractor : IDisposable
{
    /// <summary>Creates an extractor.</summary>
    /// <param name="featureCount">Width of the features.</param>
    protected FeatureExtractor(int featureCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(featureCount, 1);
        FeatureCount = featureCount;
    }

    /// <summary>Width of the features.</summary>
    public int FeatureCount { get; }

    /// <summary>Bytes of the tensors held.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>The features of scaled inputs.</summary>
    /// <param name="inputs">float32 <c>[batch, ...]</c>.</param>
    /// <returns>float32 <c>[batch, features]</c>, in the caller's scope.</returns>
    public abstract Tensor Extract(Tensor inputs);

    /// <summary>Frees the tensors held.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>The inputs themselves, flattened.</summary>
/// <param name="inputs">Numbers per sample.</param>
public sealed class RawFeatures(int inputs) : FeatureExtractor(inputs)
{
    /// <inheritdoc/>
    public override long MemoryBytes => 0;

    /// <inheritdoc/>
    public override Tensor Extract(Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return inputs.flatten(1);
    }
}

/// <summary>The features of a backbone that no longer learns. The backbone stays its owner's.</summary>
/// <param name="backbone">Trained before, or pretrained; must not be trained any more.</param>
public sealed class BackboneFeatures(Backbone backbone) : FeatureExtractor(Width(backbone))
{
    /// <inheritdoc/>
    public override long MemoryBytes =>
        backbone.parameters().Concat(backbone.buffers()).Sum(tensor => tensor.numel() * tensor.element_size());

    /// <inheritdoc/>
    public override Tensor Extract(Tensor inputs)
    {
        var training = backbone.training;
        if (training) backbone.eval();
        var features = backbone.forward(inputs);
        if (training) backbone.train();
        return features;
    }

    private static int Width(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return backbone.FeatureCount;
    }
}
