namespace Engram.Retention;

/// <summary>Losses and densities that generators share.</summary>
internal static class GenerativeLoss
{
    /// <summary>−log p(x|z) of each number, <c>[n, inputs]</c>, without the Gaussian's constant.</summary>
    /// <param name="decoded">Logits or means, <c>[n, inputs]</c>.</param>
    /// <param name="inputs"><c>[n, inputs]</c>.</param>
    /// <param name="kind">What the decoder says.</param>
    public static Tensor Reconstruction(Tensor decoded, Tensor inputs, Reconstruction kind) =>
        kind == Retention.Reconstruction.Bernoulli
            ? nn.functional.binary_cross_entropy_with_logits(decoded, inputs, reduction: nn.Reduction.None)
            : decoded.sub(inputs).pow(Held(2)).mul(Held(0.5));

    /// <summary>log N(x; μ, e^v) summed over the last dimension, without −½ log 2π per number.</summary>
    public static Tensor LogNormal(Tensor x, Tensor mean, Tensor logVariance) =>
        x.sub(mean).pow(Held(2)).div(logVariance.exp()).add(logVariance, alpha: Held(1)).sum([-1]).mul(Held(-0.5));

    /// <summary>
    /// log N(x; μ_c, e^v_c) of every x under every class c, <c>[n, classes]</c>, without −½ log 2π per number. The square is multiplied
    /// out, so that three products of matrices stand for <c>[n, classes, latent]</c> numbers; in float64, since narrow classes make of it
    /// small differences of great numbers.
    /// </summary>
    public static Tensor LogNormals(Tensor x, Tensor means, Tensor logVariances)
    {
        var (wide, mu, v) = (x.to(ScalarType.Float64), means.to(ScalarType.Float64), logVariances.to(ScalarType.Float64));
        var precision = v.neg().exp();
        var scaled = mu.mul(precision);
        var constant = mu.mul(scaled).add(v, alpha: Held(1)).sum([1]);
        return wide.pow(Held(2)).mm(precision.t()).sub(wide.mm(scaled.t()).mul(Held(2))).add(constant, alpha: Held(1)).mul(Held(-0.5)).to(x.dtype);
    }

    /// <summary>−log σ(s) where a critic's score should say real, −log(1 − σ(s)) where painted, <c>[n]</c>.</summary>
    public static Tensor Adversarial(Tensor scores, bool real) => nn.functional.softplus(real ? scores.neg() : scores);

    /// <summary>Weights of a joint loss over new and replayed rows: each part counts by its share, its rows alike.</summary>
    /// <returns>float32 <c>[current + replayed]</c>.</returns>
    public static Tensor RowWeights(long current, long replayed, double shareOfCurrent) => replayed == 0
        ? full(current, Held(1.0 / current))
        : cat([full(current, Held(shareOfCurrent / current)), full(replayed, Held((1 - shareOfCurrent) / replayed))]);
}
