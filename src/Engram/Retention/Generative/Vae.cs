using TorchSharp.Modules;

namespace Engram.Retention;

/// <summary>
/// A variational autoencoder: learns to generate samples like those it saw. Kingma and Welling 2014, "Auto-Encoding
/// Variational Bayes": the loss is minus the bound of equation 10 with one sample of z, the Gaussian KL of appendix B.
/// </summary>
/// <remarks>
/// Sizes and weights as in van de Ven, Tuytelaars and Tolias 2022: layers with ReLU, log σ² without bias, reconstruction and
/// KL both divided by the numbers per sample. Inputs are flat, float32 <c>[batch, inputs]</c>.
/// </remarks>
public sealed class Vae : nn.Module
{
    private readonly Linear[] _encoder;
    private readonly Linear[] _decoder;
    private readonly Linear _mean;
    private readonly Linear _logVariance;
    private readonly VaeOptions _options;

    /// <summary>Creates it with random weights.</summary>
    /// <param name="inputs">Numbers per sample.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public Vae(int inputs, VaeOptions? options = null) : base("vae")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        _options = (options ?? new VaeOptions()).Validated();
        Inputs = inputs;
        int[] up = [inputs, .. _options.Widths];
        int[] down = [_options.LatentSize, .. _options.Widths.Reverse(), inputs];
        _encoder = Layers("encoder", up);
        _mean = nn.Linear(up[^1], _options.LatentSize);
        _logVariance = nn.Linear(up[^1], _options.LatentSize, hasBias: false);
        register_module("mean", _mean);
        register_module("logvar", _logVariance);
        _decoder = Layers("decoder", down);
    }

    /// <summary>Numbers per sample.</summary>
    public int Inputs { get; }

    /// <summary>How many parameters one would have; any sizes, for a file may state them.</summary>
    internal static double Numbers(int inputs, VaeOptions options)
    {
        double total = 0;
        var below = (double)inputs;
        foreach (var width in options.Widths)
        {
            total += ((below + 1) * width) + ((width + 1.0) * below); // encoder, and decoder in reverse
            below = width;
        }
        return total + ((below + 1) * options.LatentSize) + (below * options.LatentSize) + ((options.LatentSize + 1.0) * below);
    }

    /// <summary>Mean and log σ² of q(z|x), <c>[batch, latent]</c> each.</summary>
    /// <param name="inputs"><c>[batch, inputs]</c>.</param>
    public (Tensor Mean, Tensor LogVariance) Encode(Tensor inputs)
    {
        var hidden = inputs;
        foreach (var layer in _encoder) hidden = layer.forward(hidden).relu_();
        return (_mean.forward(hidden), _logVariance.forward(hidden));
    }

    /// <summary>What p(x|z) is made of, <c>[batch, inputs]</c>: logits of the probabilities (Bernoulli) or means (Gaussian).</summary>
    /// <param name="latent">z, <c>[batch, latent]</c>.</param>
    public Tensor Decode(Tensor latent)
    {
        var hidden = latent;
        for (var i = 0; i < _decoder.Length - 1; i++) hidden = _decoder[i].forward(hidden).relu_();
        return _decoder[^1].forward(hidden);
    }

    /// <summary>New samples, <c>[count, inputs]</c>: the mean of p(x|z) for z from the prior.</summary>
    /// <param name="count">How many.</param>
    public Tensor Generate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return Mean(Decode(randn(count, _options.LatentSize))).MoveToOuterDisposeScope();
    }

    /// <summary>Minus the bound per number of each sample, <c>[batch]</c>: (−log p(x|z) + KL(q(z|x) ‖ p(z))) / inputs.</summary>
    /// <param name="inputs"><c>[batch, inputs]</c>.</param>
    /// <param name="noise">Standard normal, <c>[batch, latent]</c>; null to draw it.</param>
    public Tensor LossPerSample(Tensor inputs, Tensor? noise = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var (mean, logVariance) = Encode(inputs);
        var latent = mean.addcmul(logVariance.mul(Held(0.5)).exp(), noise ?? randn_like(mean), Held(1));
        var kl = logVariance.sub(mean.pow(Held(2))).sub(logVariance.exp()).sum([1]).add(Held(_options.LatentSize), alpha: Held(1)).mul(Held(-0.5));
        return GenerativeLoss.Reconstruction(Decode(latent), inputs, _options.Reconstruction).mean([1]).add(kl, alpha: Held(1.0 / Inputs));
    }

    /// <summary>
    /// log p(x) of each sample, <c>[batch]</c>, by importance sampling: log 1/S Σ_s p(x|z_s) p(z_s) / q(z_s|x) with z_s from
    /// q(z|x) (Rezende, Mohamed and Wierstra 2014, appendix E). Constants that all samples share are left out.
    /// </summary>
    /// <param name="inputs"><c>[batch, inputs]</c>.</param>
    /// <param name="noise">Standard normal, <c>[S, latent]</c>: all samples use the same.</param>
    /// <param name="likelihood">p(x|z): Bernoulli, or Gaussian of unit variance around the decoder's mean.</param>
    /// <param name="rowsAtOnce">Most rows decoded at a time, which bounds the memory.</param>
    public Tensor LogLikelihood(Tensor inputs, Tensor noise, Reconstruction likelihood, int rowsAtOnce = 4096)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsAtOnce, 1);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var drawn = noise.size(0);
        var block = Math.Max(1, rowsAtOnce / drawn);
        var parts = new List<Tensor>();
        for (long start = 0; start < inputs.size(0); start += block)
        {
            using var inner = NewDisposeScope();
            var x = inputs.narrow(0, start, Math.Min(block, inputs.size(0) - start));
            var (mean, logVariance) = Encode(x);
            var offset = logVariance.mul(Held(0.5)).exp_().unsqueeze(1).mul(noise.unsqueeze(0));
            var latent = mean.unsqueeze(1).add(offset, alpha: Held(1)); // [n, S, latent]
            // log p(z) − log q(z|x); the ½ log 2π of both cancel.
            var ratio = noise.pow(Held(2)).unsqueeze(0).sub(latent.pow(Held(2))).add(logVariance.unsqueeze(1), alpha: Held(1)).sum([2]).mul_(Held(0.5));
            var decoded = Decode(latent.flatten(0, 1));
            var given = likelihood == Reconstruction.Bernoulli ? LogBernoulli(decoded, x, drawn) : LogGaussian(Mean(decoded), x, drawn);
            parts.Add(given.add_(ratio, alpha: Held(1)).logsumexp(1).sub(Held(Math.Log(drawn))).MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    // −½ Σ (m − x)², [n, S].
    private static Tensor LogGaussian(Tensor means, Tensor x, long drawn) =>
        means.view(x.size(0), drawn, -1).sub_(x.unsqueeze(1)).pow_(Held(2)).sum([2]).mul_(Held(-0.5));

    // Σ x l − softplus(l), [n, S].
    private static Tensor LogBernoulli(Tensor logits, Tensor x, long drawn) =>
        logits.view(x.size(0), drawn, -1).bmm(x.unsqueeze(2)).squeeze(2)
            .sub(nn.functional.softplus(logits).sum([1]).view(x.size(0), drawn));

    /// <summary>What a decoder's output stands for: probabilities or means.</summary>
    internal Tensor Mean(Tensor decoded) => _options.Reconstruction == Reconstruction.Bernoulli ? decoded.sigmoid() : decoded;

    private Linear[] Layers(string name, int[] sizes)
    {
        var layers = new Linear[sizes.Length - 1];
        for (var i = 0; i < layers.Length; i++)
            register_module($"{name}{i + 1}", layers[i] = nn.Linear(sizes[i], sizes[i + 1]));
        return layers;
    }
}
