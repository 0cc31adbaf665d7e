using Engram.Data;

namespace Engram.Memory;

/// <summary>Rules that choose which samples of one class stand for all of them.</summary>
/// <remarks>
/// The choices are ordered: the first m of a longer choice are the choice of m by herding and closest-to-mean, so that a
/// memory shrinks by dropping the last ones (Rebuffi et al. 2017, algorithm 5).
/// </remarks>
public static class ExemplarSelection
{
    /// <summary>Samples chosen by chance, without repeats.</summary>
    /// <param name="available">Samples there are.</param>
    /// <param name="count">Samples to choose; all there are if there are fewer.</param>
    /// <param name="random">Decides.</param>
    /// <returns>Rows, in the order chosen.</returns>
    public static long[] Random(int available, int count, SeededRandom random)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(available);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentNullException.ThrowIfNull(random);
        return [.. random.Permutation(available).Take(count).Select(row => (long)row)];
    }

    /// <summary>
    /// Herding (Welling 2009) as in iCaRL (Rebuffi et al. 2017, algorithm 4): the k-th exemplar is
    /// argmin over x of ‖μ − (φ(x) + Σ_{j&lt;k} φ(p_j)) / k‖, so that the mean of the exemplars stays near the class mean μ.
    /// </summary>
    /// <param name="features">Features of the samples of ONE class, float <c>[n, features]</c>; they are L2-normalised here.</param>
    /// <param name="count">Exemplars to choose; all there are if there are fewer.</param>
    /// <returns>Rows of <paramref name="features"/>, in the order chosen, without repeats.</returns>
    /// <remarks>
    /// μ is the plain mean of the normalised features (the paper says means are normalised too; neither its code nor
    /// FACIL does that here, and the exemplars' mean would not tend to μ). A sample is chosen once. Ties go to the first.
    /// </remarks>
    public static long[] Herding(Tensor features, int count)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var unit = Normalised(features, ref count);
        var mean = unit.mean([0], type: ScalarType.Float64);
        // ‖kμ − S − φ‖² less what no φ changes is ‖φ‖² − 2φ·(kμ − S). Sums over k in float64, products in float32.
        var towardsMean = unit.mv(mean.to(ScalarType.Float32)).to(ScalarType.Float64).mul_(Held(-2));
        var cost = unit.pow(Held(2)).sum(1, type: ScalarType.Float64);
        var chosen = new long[count];
        for (var k = 0; k < count; k++)
        {
            using var step = NewDisposeScope();
            chosen[k] = cost.add_(towardsMean, alpha: Held(1)).argmin().item<long>();
            cost.add_(unit.mv(unit[chosen[k]]), alpha: Held(2));
            cost[chosen[k]] = double.PositiveInfinity;
        }
        return chosen;
    }

    /// <summary>The samples nearest to the class mean, nearest first.</summary>
    /// <param name="features">Features of the samples of ONE class, float <c>[n, features]</c>; they are L2-normalised here.</param>
    /// <param name="count">Exemplars to choose; all there are if there are fewer.</param>
    /// <returns>Rows of <paramref name="features"/>.</returns>
    public static long[] ClosestToMean(Tensor features, int count)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var unit = Normalised(features, ref count);
        var distance = unit.sub(unit.mean([0])).pow(Held(2)).sum(1);
        return distance.argsort()[..count].data<long>().ToArray();
    }

    private static Tensor Normalised(Tensor features, ref int count)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (features.dim() != 2 || !features.is_floating_point())
            throw new ArgumentException(
                $"features: {features.dtype} [{string.Join(", ", features.shape)}], expected float [samples, features]",
                nameof(features));
        count = (int)Math.Min(count, features.size(0));
        return nn.functional.normalize(features.detach().to(ScalarType.Float32), dim: 1);
    }
}
