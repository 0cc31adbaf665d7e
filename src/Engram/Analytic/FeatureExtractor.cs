using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>A fixed map from scaled inputs to features; it never changes, so statistics of its features stay valid.</summary>
public abstract class FeatureExtractor : IDisposable
{
    private const int BatchSize = 256;

    /// <summary>Creates an extractor.</summary>
    /// <param name="featureCount">Width of the features.</param>
    protected FeatureExtractor(int featureCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(featureCount, 1);
        TorchRuntime.KeepOffHiddenCaches();
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

    /// <summary>All samples of a source as their features, computed once: what is learnt over them lies behind the fixed map.</summary>
    /// <remarks>
    /// Training then costs no pass through a frozen backbone, and memories hold features in place of images; with
    /// <see cref="BrainInspiredReplay"/> this is its internal replay, which generates hidden features and not pixels.
    /// </remarks>
    /// <param name="source">The samples; targets and labels stay as they are.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <returns>float32 <c>[samples, features]</c> in memory.</returns>
    /// <exception cref="ArgumentException">There are no samples, or a feature is not finite.</exception>
    public TensorSource Samples(ISampleSource source, InputScaling? scaling = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Count == 0) throw new ArgumentException("source: 0 samples, expected one or more", nameof(source));
        scaling ??= new InputScaling();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var batches = Enumerable.Range(0, source.Count).Chunk(BatchSize).Select(chunk =>
        {
            using var inner = NewDisposeScope();
            var batch = source.Gather(Array.ConvertAll(chunk, i => (long)i));
            return new Batch(Extract(scaling.Apply(batch.Inputs)).MoveToOuterDisposeScope(), batch.Targets.MoveToOuterDisposeScope());
        }).ToArray();
        return TensorSource.Stored(
            cat([.. batches.Select(batch => batch.Inputs)]), cat([.. batches.Select(batch => batch.Targets)]),
            source.Labels, source.TargetKind, source.LabelTasks);
    }

    /// <summary>Test samples as their features, for a learner of features.</summary>
    /// <param name="set">The samples.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <exception cref="ArgumentException">There are no samples, or a feature is not finite.</exception>
    public EvaluationSet Samples(EvaluationSet set, InputScaling? scaling = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        return set.Map(source => Samples(source, scaling));
    }

    /// <summary>What a file keeps of it; one the library does not know is given again on loading.</summary>
    internal virtual ExtractorFile Describe() => new("own", [], new Dictionary<string, Tensor>());

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

    internal override ExtractorFile Describe() =>
        new("raw", new JsonObject { ["inputs"] = FeatureCount }, new Dictionary<string, Tensor>());
}

/// <summary>The features of a backbone that no longer learns. The backbone stays its owner's.</summary>
public sealed class BackboneFeatures : FeatureExtractor
{
    private readonly Backbone _backbone;
    private readonly bool _owned;

    /// <summary>Reads a backbone.</summary>
    /// <param name="backbone">Trained before, or pretrained; must not be trained any more.</param>
    public BackboneFeatures(Backbone backbone) : this(backbone, owned: false)
    {
    }

    private BackboneFeatures(Backbone backbone, bool owned) : base(Width(backbone)) => (_backbone, _owned) = (backbone, owned);

    internal Backbone Backbone => _backbone;

    /// <inheritdoc/>
    public override long MemoryBytes =>
        _backbone.parameters().Concat(_backbone.buffers()).Sum(tensor => tensor.numel() * tensor.element_size());

    /// <inheritdoc/>
    public override Tensor Extract(Tensor inputs)
    {
        var training = _backbone.training;
        if (training) _backbone.eval();
        var features = _backbone.forward(inputs);
        if (training) _backbone.train();
        return features;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_owned) _backbone.Dispose();
        base.Dispose();
    }

    internal override ExtractorFile Describe() => new(
        "backbone", new JsonObject { ["architecture"] = _backbone.Architecture },
        _backbone.named_parameters().Select(p => (p.name, (Tensor)p.parameter))
            .Concat(_backbone.named_buffers().Select(b => (b.name, b.buffer))).ToDictionary(pair => pair.Item1, pair => pair.Item2));

    internal static BackboneFeatures Of(ExtractorFile file)
    {
        var backbone = Architectures.Backbone(
            file.Options.Value<string>("architecture"), file.Tensors.Values.Sum(tensor => tensor.numel()));
        foreach (var tensor in backbone.parameters().Concat(backbone.buffers())) tensor.DetachFromDisposeScope();
        backbone.LoadWeights(file.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value));
        backbone.eval();
        return new BackboneFeatures(backbone, owned: true);
    }

    private static int Width(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return backbone.FeatureCount;
    }
}

/// <summary>What a file keeps of an extractor.</summary>
/// <param name="Kind">Its kind, see <see cref="Build"/>.</param>
/// <param name="Options">Its options.</param>
/// <param name="Tensors">Its tensors; on saving the extractor's own, on loading to be cloned.</param>
internal sealed record ExtractorFile(string Kind, JsonObject Options, IReadOnlyDictionary<string, Tensor> Tensors)
{
    /// <summary>The extractor; a file can only choose among these.</summary>
    public FeatureExtractor Build() => Kind switch
    {
        "raw" => new RawFeatures(Options.Value<int>("inputs")),
        "random" => RandomFeatures.Of(this),
        "patches" => PatchFeatures.Of(this),
        "backbone" => BackboneFeatures.Of(this),
        _ => throw new FormatException($"extractor: {Kind}, expected raw, random, patches or backbone, or to be given by the caller"),
    };

    /// <summary>A tensor of the file as the extractor keeps it.</summary>
    public Tensor Take(string name, params ReadOnlySpan<long> shape)
    {
        var state = new MechanismState();
        foreach (var (key, tensor) in Tensors) state.Tensors[key] = tensor;
        return Statistics.Take(state, name, shape, ScalarType.Float32).DetachFromDisposeScope();
    }
}
