namespace Engram.Retention;

/// <summary>
/// The bias-correction layer of BiC: q_k = α o_k + β for the classes of one experience (Wu et al. 2019, equation 4), with
/// α and β of every experience kept, so one factor and one offset for each class.
/// </summary>
public sealed class BiasLayer : IDisposable
{
    private Tensor? _scale;
    private Tensor? _offset;

    /// <summary>α of each class, float32 <c>[classes]</c>; null before the first.</summary>
    public Tensor? Scale => _scale;

    /// <summary>β of each class, float32 <c>[classes]</c>; null before the first.</summary>
    public Tensor? Offset => _offset;

    /// <summary>Bytes of α and β.</summary>
    public long Bytes => _scale is null ? 0 : 2 * 4 * _scale.numel();

    /// <summary>Adds classes that are not corrected yet: α = 1, β = 0.</summary>
    /// <param name="classes">Classes in all.</param>
    public void Grow(long classes)
    {
        using var scope = NewDisposeScope();
        var added = classes - (_scale?.size(0) ?? 0);
        if (added <= 0) return;
        var (scale, offset) = (ones(added), zeros(added));
        if (_scale is not null) (scale, offset) = (cat([_scale, scale]), cat([_offset!, offset]));
        Dispose();
        (_scale, _offset) = (scale.DetachFromDisposeScope(), offset.DetachFromDisposeScope());
    }

    /// <summary>Corrected logits.</summary>
    /// <param name="logits"><c>[n, classes]</c> of the first classes.</param>
    public Tensor Apply(Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (_scale is null) return logits;
        var classes = logits.size(1);
        return logits.mul(_scale.narrow(0, 0, classes)).add(_offset!.narrow(0, 0, classes), alpha: Held(1));
    }

    /// <summary>Sets the correction of the classes from one id on.</summary>
    /// <param name="first">First of the new classes.</param>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β.</param>
    public void Set(int first, double alpha, double beta)
    {
        using var scope = NewDisposeScope();
        _scale![first..].fill_(Held(alpha));
        _offset![first..].fill_(Held(beta));
    }

    /// <summary>
    /// Finds α and β of the new classes: the minimum over a validation set of the cross-entropy of corrected logits
    /// (equation 5) plus decay/2 β². The problem is convex in two numbers, so Newton's method finds it exactly.
    /// </summary>
    /// <param name="logits"><c>[n, classes]</c>; old classes already corrected.</param>
    /// <param name="targets">int64 <c>[n]</c>.</param>
    /// <param name="first">First of the new classes.</param>
    /// <param name="betaDecay">Decay of β.</param>
    /// <remarks>
    /// Where the set is separable the likelihood has no maximum; a pull of α towards 1 of strength 1e-3 gives it one.
    /// The paper runs stochastic gradient descent on the same objective.
    /// </remarks>
    public static (double Alpha, double Beta) Fit(Tensor logits, Tensor targets, int first, double betaDecay)
    {
        ArgumentNullException.ThrowIfNull(logits);
        const double alphaDecay = 1e-3;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var z = logits.detach().to(ScalarType.Float64);
        var isNew = arange(Held(z.size(1))).ge(Held(first)).to(ScalarType.Float64); // [classes]
        var slope = z.mul(isNew); // ∂q/∂α [n, classes]; ∂q/∂β is isNew
        var fixedPart = z.sub(slope);

        Tensor Corrected(double a, double b) => fixedPart.add(slope.mul(Held(a)), alpha: Held(1)).add(isNew.mul(Held(b)), alpha: Held(1));
        double Objective(double a, double b)
        {
            using var inner = NewDisposeScope();
            return nn.functional.cross_entropy(Corrected(a, b), targets).item<double>()
                + (betaDecay / 2 * b * b) + (alphaDecay / 2 * (a - 1) * (a - 1));
        }

        var (alpha, beta) = (1.0, 0.0);
        var value = Objective(alpha, beta);
        var hits = nn.functional.one_hot(targets, z.size(1)).to(ScalarType.Float64);
        for (var round = 0; round < 100; round++)
        {
            using var inner = NewDisposeScope();
            var p = Corrected(alpha, beta).softmax(1);
            var residual = p.sub(hits);
            var (meanSlope, meanNew) = (p.mul(slope).sum(1), p.mul(isNew).sum(1)); // under p, for each sample
            double Mean(Tensor each) => each.mean().item<double>();
            var gA = Mean(residual.mul(slope).sum(1)) + (alphaDecay * (alpha - 1));
            var gB = Mean(residual.mul(isNew).sum(1)) + (betaDecay * beta);
            var hAA = Mean(p.mul(slope).mul(slope).sum(1).sub(meanSlope.pow(Held(2)))) + alphaDecay;
            var hAB = Mean(p.mul(slope).sum(1).sub(meanSlope.mul(meanNew)));
            var hBB = Mean(meanNew.sub(meanNew.pow(Held(2)))) + betaDecay + 1e-12;
            var determinant = (hAA * hBB) - (hAB * hAB);
            var (dA, dB) = (((hBB * gA) - (hAB * gB)) / determinant, ((hAA * gB) - (hAB * gA)) / determinant);
            if (!double.IsFinite(dA) || !double.IsFinite(dB)) break;
            var step = 1.0;
            while (step > 1e-10 && !(Objective(alpha - (step * dA), beta - (step * dB)) <= value)) step /= 2;
            if (step <= 1e-10) break;
            (alpha, beta) = (alpha - (step * dA), beta - (step * dB));
            value = Objective(alpha, beta);
            if (step * Math.Max(Math.Abs(dA), Math.Abs(dB)) < 1e-9) break;
        }
        return (alpha, beta);
    }

    /// <summary>Names α and β, to save them.</summary>
    /// <param name="state">Receives them.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_scale is null) return;
        state.Tensors["alpha"] = _scale;
        state.Tensors["beta"] = _offset!;
    }

    /// <summary>Puts α and β back.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    public void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Dispose();
        (_scale, _offset) = (state.Take("alpha"), state.Take("beta"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scale?.Dispose();
        _offset?.Dispose();
        (_scale, _offset) = (null, null);
    }
}
