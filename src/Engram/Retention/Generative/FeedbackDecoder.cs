using Engram.Data;
using TorchSharp.Modules;

namespace Engram.Retention;

/// <summary>
/// The way back of a network that replays through feedback: from features to z, and from z through gated layers to inputs,
/// with one Gaussian of z for each class. van de Ven, Siegelmann and Tolias 2020, "Brain-inspired replay".
/// </summary>
internal sealed class FeedbackDecoder : nn.Module
{
    private readonly BrainInspiredOptions _options;
    private readonly long _seed;
    private readonly Linear _mean;
    private readonly Linear _logVariance;
    private readonly Linear[] _layers;
    private readonly Parameter _priorMean = new(zeros(0));
    private readonly Parameter _priorLogVariance = new(zeros(0));
    private Tensor _gates = zeros(0, 0);

    /// <summary>How many parameters one would have; any sizes, for a file may state them.</summary>
    public static double Numbers(int features, int inputs, int classes, BrainInspiredOptions options)
    {
        double below = options.LatentSize;
        var total = (((2.0 * features) + 1) * below) + (2 * below * classes);
        foreach (var size in options.Widths.Append(inputs))
        {
            total += (below + 1) * size;
            below = size;
        }
        return total;
    }

    public FeedbackDecoder(int features, int inputs, int classes, BrainInspiredOptions options, long seed) : base("feedback")
    {
        (_options, _seed, Features, Inputs) = (options, seed, features, inputs);
        _mean = nn.Linear(features, options.LatentSize);
        _logVariance = nn.Linear(features, options.LatentSize, hasBias: false);
        register_module("mean", _mean);
        register_module("logvar", _logVariance);
        int[] sizes = [options.LatentSize, .. options.Widths, inputs];
        _layers = new Linear[sizes.Length - 1];
        for (var i = 0; i < _layers.Length; i++)
            register_module($"decoder{i + 1}", _layers[i] = nn.Linear(sizes[i], sizes[i + 1]));
        using (no_grad())
        {
            _priorMean.set_(randn(classes, options.LatentSize));
            _priorLogVariance.set_(randn(classes, options.LatentSize));
        }
        register_parameter("prior_mean", _priorMean);
        register_parameter("prior_logvar", _priorLogVariance);
        MakeGates();
    }

    public int Features { get; }

    public int Inputs { get; }

    public int Classes => (int)_priorMean.size(0);

    /// <summary>Bytes of the gates, which the seed gives and no file keeps.</summary>
    public long GateBytes => 4 * _gates.numel();

    /// <summary>Adds a random Gaussian and gates for each new class.</summary>
    public void Grow(int added)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var parameter in new[] { _priorMean, _priorLogVariance })
            parameter.set_(cat([parameter.detach(), randn(added, _options.LatentSize)]));
        MakeGates();
    }

    /// <summary>Minus the bound per number of each sample, <c>[n]</c>.</summary>
    /// <param name="features">Of the forward pass, <c>[n, features]</c>.</param>
    /// <param name="inputs">What to reconstruct, <c>[n, inputs]</c>.</param>
    /// <param name="probabilities">Of the classes, <c>[n, classes]</c>; one-hot where the class is known.</param>
    /// <param name="noise">Standard normal, <c>[n, latent]</c>; null to draw it.</param>
    public Tensor LossPerSample(Tensor features, Tensor inputs, Tensor probabilities, Tensor? noise = null)
    {
        var (mean, logVariance) = (_mean.forward(features), _logVariance.forward(features));
        var latent = mean.addcmul(logVariance.mul(Held(0.5)).exp(), noise ?? randn_like(mean), Held(1));
        // log Σ_c p_c N(z; μ_c, σ²_c), [n]; a class of probability 0 takes no part.
        var ofClasses = GenerativeLoss.LogNormals(latent, _priorMean, _priorLogVariance);
        var prior = ofClasses.add(probabilities.log(), alpha: Held(1)).logsumexp(1);
        var kl = GenerativeLoss.LogNormal(latent, mean, logVariance).sub(prior);
        return GenerativeLoss.Reconstruction(Decode(latent, probabilities), inputs, _options.Reconstruction)
            .mean([1]).add(kl, alpha: Held(1.0 / Inputs));
    }

    /// <summary>New samples of given classes, <c>[n, inputs]</c>.</summary>
    /// <param name="classes">Class ids, int64 <c>[n]</c>.</param>
    public Tensor Generate(Tensor classes)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var deviation = _priorLogVariance.index_select(0, classes).mul_(Held(0.5)).exp_();
        var latent = _priorMean.index_select(0, classes).addcmul(deviation, randn_like(deviation), Held(1));
        var decoded = Decode(latent, nn.functional.one_hot(classes, Classes).to(ScalarType.Float32));
        return (_options.Reconstruction == Reconstruction.Bernoulli ? decoded.sigmoid_() : decoded).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _gates.Dispose();
        base.Dispose(disposing);
    }

    // Each hidden unit is multiplied by the probability of the classes that keep it open.
    private Tensor Decode(Tensor latent, Tensor probabilities)
    {
        var gates = probabilities.mm(_gates);
        var (hidden, start) = (latent, 0L);
        for (var i = 0; i < _layers.Length - 1; i++)
        {
            hidden = _layers[i].forward(hidden).relu_().mul(gates.narrow(1, start, _options.Widths[i]));
            start += _options.Widths[i];
        }
        return _layers[^1].forward(hidden);
    }

    // float32 [classes, hidden units of all layers]: a class's gates depend on the seed and its id alone.
    private void MakeGates()
    {
        var units = _options.Widths.Sum();
        var open = new float[Classes * units];
        for (var c = 0; c < Classes; c++)
        {
            var random = new SeededRandom(_seed, $"brain-inspired/gates/{c}");
            for (var unit = 0; unit < units; unit++) open[(c * units) + unit] = random.NextDouble() < _options.GateShare ? 0 : 1;
        }
        _gates.Dispose();
        _gates = tensor(open).view(Classes, units).DetachFromDisposeScope();
    }
}
