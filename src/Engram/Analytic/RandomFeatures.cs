using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Persistence;

namespace Engram.Analytic;

/// <summary>What follows the random projection.</summary>
public enum RandomActivation
{
    /// <summary>max(0, xW + b): RanPAC's projection.</summary>
    Relu,

    /// <summary>√(2/M) cos(xW + b): Fourier features of the Gaussian kernel (Rahimi and Recht 2007).</summary>
    Fourier,
}

/// <summary>Random projection and a nonlinearity, drawn once from a seed.</summary>
public sealed class RandomFeatures : FeatureExtractor
{
    private const int DrawnAtOnce = 1 << 20; // even: numbers come in pairs
    private readonly RandomActivation _activation;
    private readonly Tensor _weights; // [inputs, features]
    private readonly Tensor _bias; // [features]

    /// <summary>Draws the projection.</summary>
    /// <param name="inputs">Numbers per sample.</param>
    /// <param name="features">M, the width of the projection.</param>
    /// <param name="activation">The nonlinearity.</param>
    /// <param name="scale">Standard deviation of the weights; for Fourier features 1/σ of the kernel.</param>
    /// <param name="seed">Equal seeds give equal features.</param>
    /// <exception cref="ArgumentException">A size below 1, a scale that is not positive, or too many weights for the memory.</exception>
    public RandomFeatures(
        int inputs, int features, RandomActivation activation = RandomActivation.Relu, double scale = 1, long seed = 0)
        : base(features)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        MemoryGuard.Check($"features: {features} random ones of {inputs} inputs", 4.0 * inputs * features);
        if (!(scale > 0) || !double.IsFinite(scale))
            throw new ArgumentException($"scale: {scale}, expected a positive number", nameof(scale));
        _activation = activation;
        var random = new SeededRandom(seed, "random features");
        using var scope = NewDisposeScope();
        _weights = Normal(random, inputs * (long)features).view(inputs, features).mul_(Held(scale)).DetachFromDisposeScope();
        var phases = new float[features];
        for (var i = 0; i < features; i++)
            phases[i] = (float)(activation == RandomActivation.Fourier
                ? 2 * Math.PI * random.NextDouble()
                : 2 * random.NextDouble() - 1);
        _bias = tensor(phases).DetachFromDisposeScope();
    }

    private RandomFeatures(Tensor weights, Tensor bias, RandomActivation activation) : base((int)weights.size(1)) =>
        (_weights, _bias, _activation) = (weights, bias, activation);

    internal (Tensor Weights, Tensor Bias, RandomActivation Activation) Projection => (_weights, _bias, _activation);

    /// <inheritdoc/>
    public override long MemoryBytes => 4 * (_weights.numel() + _bias.numel());

    /// <inheritdoc/>
    public override Tensor Extract(Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var projected = addmm(_bias, inputs.flatten(1), _weights, 1, 1);
        return _activation == RandomActivation.Relu
            ? projected.relu_()
            : projected.cos_().mul_(Held(Math.Sqrt(2.0 / FeatureCount)));
    }

    internal override ExtractorFile Describe() => new(
        "random", new JsonObject { ["activation"] = $"{_activation}" },
        new Dictionary<string, Tensor> { ["weights"] = _weights, ["bias"] = _bias });

    internal static RandomFeatures Of(ExtractorFile file)
    {
        var activation = ManifestJson.Named<RandomActivation>("activation", file.Options.Value<string>("activation"));
        var weights = file.Take("weights", -1, -1);
        return new RandomFeatures(weights, file.Take("bias", weights.size(1)), activation);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
        base.Dispose();
    }

    // From our own generator: torch's global one stays untouched. In parts, so that weights are held once.
    private static Tensor Normal(SeededRandom random, long count)
    {
        var weights = zeros(count);
        for (var start = 0L; start < count; start += DrawnAtOnce)
        {
            using var scope = NewDisposeScope();
            var part = Drawn(random, (int)Math.Min(DrawnAtOnce, count - start));
            weights.narrow(0, start, part.Length).copy_(tensor(part));
        }
        return weights;
    }

    // Box and Muller.
    private static float[] Drawn(SeededRandom random, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i += 2)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            var angle = 2 * Math.PI * random.NextDouble();
            values[i] = (float)(radius * Math.Cos(angle));
            if (i + 1 < count) values[i + 1] = (float)(radius * Math.Sin(angle));
        }
        return values;
    }
}
