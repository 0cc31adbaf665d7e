using Engram.Persistence;

namespace Engram.Analytic;

/// <summary>
/// R = (A + λI)⁻¹ and V = RB, kept up to date by Woodbury's identity while A changes by few rows X: with R ← R ∓ TᵀT, T = L⁻¹XR and
/// LLᵀ = I ± XRXᵀ, a head follows a new sample without a factorisation.
/// </summary>
/// <remarks>
/// Work of one sample: three passes over R. Nothing drifts unseen: every so many rows, after the inversion, and whenever rows are taken away,
/// which makes small rounding large where little is left, the solution is held against the sums themselves, see <see cref="Agrees"/>.
/// </remarks>
internal sealed class KeptInverse : IDisposable
{
    /// <summary>The most by which λ may grow before a factorisation is due, as a share of it.</summary>
    public const double MostGrowth = 0.25;

    /// <summary>Rows after which V is to be held against the sums.</summary>
    public const int CheckedEvery = 256;

    private const double Tolerance = 1e-10; // relative, of each column
    private const int MostSteps = 16;

    private readonly Tensor _inverse; // R, float64 [n, n]
    private readonly double _ridge; // λ

    private KeptInverse(Tensor inverse, Tensor solution, double ridge) =>
        (_inverse, Solution, _ridge) = (inverse.DetachFromDisposeScope(), solution.DetachFromDisposeScope(), ridge);

    /// <summary>V, float64 <c>[n, classes]</c>.</summary>
    public Tensor Solution { get; private set; }

    /// <summary>Rows followed since V was last held against the sums.</summary>
    public long Unchecked { get; private set; }

    /// <summary>8 bytes for each number.</summary>
    public long Bytes => 8 * (_inverse.numel() + Solution.numel());

    /// <summary>Inverts the system's A + λI; null where that is singular to float64.</summary>
    public static KeptInverse? Of(LinearSystem system)
    {
        using var scope = NewDisposeScope();
        return PositiveSolve.Inverse(system.Matrix(), system.Ridge) is { } inverse
            ? new KeptInverse(inverse, inverse.matmul(system.Right), system.Ridge)
            : null;
    }

    /// <summary>Follows A ← A ± XᵀX and B.</summary>
    /// <param name="rows">X, float64 <c>[k, n]</c>.</param>
    /// <param name="sign">+1 or −1.</param>
    /// <param name="before">B as it was, <c>[n, classes]</c>.</param>
    /// <param name="after">B as it is; it may have more columns.</param>
    /// <returns>False where A is no longer positive; nothing here is of use then.</returns>
    public bool Update(Tensor rows, int sign, Tensor before, Tensor after)
    {
        using var scope = NewDisposeScope();
        Unchecked += sign < 0 ? CheckedEvery : rows.size(0);
        if (rows.size(0) > 0)
        {
            var projected = rows.matmul(_inverse); // XR
            var inner = projected.matmul(rows.t()).mul_(Held(sign));
            inner.diagonal().add_(Held(1), alpha: Held(1));
            var (factor, info) = linalg.cholesky_ex(inner); // L
            if (info.item<int>() != 0) return false;
            var half = linalg.solve_triangular(factor, projected, upper: false); // T
            _inverse.addmm_(half.t(), half, 1, -sign);
            Solution.addmm_(half.t(), half.matmul(before), 1, -sign);
        }
        var added = after.size(1) - before.size(1);
        if (added > 0)
        {
            var none = zeros([before.size(0), added], ScalarType.Float64);
            var grown = cat([Solution, none], 1).DetachFromDisposeScope();
            Solution.Dispose();
            (Solution, before) = (grown, cat([before, none], 1));
        }
        var change = after.sub(before);
        var touched = change.abs().amax([0L]).nonzero().view(-1);
        Solution.index_add_(1, touched, _inverse.matmul(change.index_select(1, touched)), Held(1));
        return true;
    }

    /// <summary>(A + λI)⁻¹B for a λ that has grown since: conjugate gradients on (I + (λ − λ₀)R)W = V (Hestenes and Stiefel 1952).</summary>
    /// <returns>float64 <c>[n, classes]</c>; null where λ has grown too far for few steps.</returns>
    public Tensor? Solve(double ridge)
    {
        var growth = ridge - _ridge;
        if (growth == 0) return Solution.clone();
        if (Math.Abs(growth) > MostGrowth * _ridge) return null;
        using var scope = NewDisposeScope();
        Tensor Times(Tensor v) => _inverse.matmul(v).mul_(Held(growth)).add_(v, alpha: Held(1));
        var weights = Solution.clone();
        var residual = Solution.sub(Times(weights));
        var (direction, square) = (residual.clone(), residual.pow(Held(2)).sum([0L]));
        for (var step = 0; step <= MostSteps; step++)
        {
            // Written so that NaN is not within.
            if (square.sqrt().le(weights.norm(dim: 0).mul(Held(Tolerance))).all().item<bool>()) return weights.MoveToOuterDisposeScope();
            var moved = Times(direction);
            var length = square.div(direction.mul(moved).sum([0L]).clamp_min(Held(double.Epsilon)));
            weights.add_(direction.mul(length), alpha: Held(1));
            residual.sub_(moved.mul(length));
            var next = residual.pow(Held(2)).sum([0L]);
            direction = residual.add(direction.mul(next.div(square.clamp_min(Held(double.Epsilon)))), alpha: Held(1));
            square = next;
        }
        return null;
    }

    /// <summary>Whether W solves the equations of the sums, by its residual brought back through R: an estimate of W's error.</summary>
    public bool Agrees(LinearSystem system, Tensor weights)
    {
        using var scope = NewDisposeScope();
        Unchecked = 0;
        var error = _inverse.matmul(system.Right.sub(system.Times(weights))).norm(dim: 0);
        var size = weights.norm(dim: 0);
        return error.le(size.mul(Held(10 * Tolerance))).logical_and(size.isfinite()).all().item<bool>();
    }

    /// <summary>Names its numbers, to save them.</summary>
    public void Save(Retention.MechanismState state)
    {
        (state.Tensors["inverse"], state.Tensors["solution"]) = (_inverse, Solution);
        (state.Values["inverse.ridge"], state.Values["inverse.unchecked"]) = (_ridge, Unchecked);
    }

    /// <summary>Reads what <see cref="Save"/> named; null where nothing was.</summary>
    public static KeptInverse? Load(Retention.MechanismState state, long width, long classes)
    {
        if (!state.Tensors.ContainsKey("inverse")) return null;
        var (inverse, solution) = (Statistics.Take(state, "inverse", width, width), Statistics.Take(state, "solution", width, classes));
        var (ridge, since) = (state.Values.Value<double>("inverse.ridge"), state.Values.Value<long>("inverse.unchecked"));
        return new KeptInverse(inverse.DetachFromDisposeScope(), solution.DetachFromDisposeScope(), ridge) { Unchecked = since };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _inverse.Dispose();
        Solution.Dispose();
    }
}
