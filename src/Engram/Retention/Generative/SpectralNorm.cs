namespace Engram.Retention;

/// <summary>
/// A weight divided by its largest singular value, estimated by one step of power iteration at a time. Miyato, Kataoka, Koyama and
/// Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1; kernels are matrices of one row per
/// output channel.
/// </summary>
internal sealed class SpectralNorm : IDisposable
{
    private const double Least = 1e-6; // σ of a weight that is all but zero

    private Tensor _left; // u, [rows]

    public SpectralNorm(long rows)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _left = nn.functional.normalize(randn(rows), dim: 0).DetachFromDisposeScope();
    }

    /// <summary>u, the estimate of the first left singular vector.</summary>
    public Tensor Left => _left;

    /// <summary>Puts a saved estimate in place; takes it over.</summary>
    public void Restore(Tensor left)
    {
        _left.Dispose();
        _left = left.DetachFromDisposeScope();
    }

    /// <summary>Makes room for rows that were added to the weight.</summary>
    public void Grow(long added)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var grown = nn.functional.normalize(cat([_left, randn(added).mul_(Held(1 / Math.Sqrt(_left.size(0) + added)))]), dim: 0);
        Restore(grown);
    }

    /// <summary>W / σ(W), with σ at least 1e-6; gradients flow through both.</summary>
    /// <param name="weight">W, one row per output.</param>
    /// <param name="refine">Whether to take a step of the iteration first.</param>
    public Tensor Of(Tensor weight, bool refine)
    {
        var matrix = weight.flatten(1);
        Tensor right;
        using (no_grad())
        {
            right = nn.functional.normalize(matrix.t().mv(_left), dim: 0);
            var next = matrix.mv(right);
            // A weight of zero has no direction: the estimate stays, or it would be zero for ever.
            if (refine) _left.copy_(where(next.norm().gt(Held(0)), nn.functional.normalize(next, dim: 0), _left));
        }
        return weight.div(_left.dot(matrix.mv(right)).clamp_min(Held(Least)));
    }

    public void Dispose() => _left.Dispose();
}
