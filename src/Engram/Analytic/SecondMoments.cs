using Engram.Retention;

namespace Engram.Analytic;

/// <summary>
/// Counts n_c, sums Σφ of each class (C = ΣφY of ridge regression is its transpose) and the second moment G = Σφφᵀ: what
/// closed forms are made of. All are held in float64 and grow with the classes.
/// </summary>
internal sealed class SecondMoments(int width, bool withProducts) : IDisposable
{
    public Tensor Counts { get; private set; } = Zeros(0); // [classes]

    public Tensor Sums { get; private set; } = Zeros(0, width); // [classes, width]

    public Tensor Products { get; private set; } = withProducts ? Zeros(width, width) : Zeros(0, 0);

    public long Bytes => 8 * (Counts.numel() + Sums.numel() + Products.numel());

    // Products of a block in the given precision, summed over blocks in float64.
    public void Add(Tensor features, Tensor ids, int sign, int classes, ScalarType precision)
    {
        Grow(classes);
        var exact = features.to(ScalarType.Float64);
        var oneHot = nn.functional.one_hot(ids, classes).to(ScalarType.Float64);
        Counts.add_(oneHot.sum([0]), alpha: Held(sign));
        Sums.add_(oneHot.t().matmul(exact), alpha: Held(sign));
        if (sign < 0) Sums.masked_fill_(Counts.lt(Held(0.5)).unsqueeze(1), Held(0)); // no sample, no rounding left over
        if (!withProducts) return;
        var terms = precision == ScalarType.Float64 ? exact : features;
        Products.add_(terms.t().matmul(terms), alpha: Held(sign));
    }

    public Tensor Means() => Sums.div(Counts.clamp_min(Held(1)).unsqueeze(1)); // [classes, width]

    public void Save(MechanismState state) =>
        (state.Tensors["counts"], state.Tensors["sums"], state.Tensors["products"]) = (Counts, Sums, Products);

    public void Load(MechanismState state)
    {
        var (counts, sums, products) = (state.Take("counts"), state.Take("sums"), state.Take("products"));
        if (counts is null || sums is null || products is null
            || sums.shape[1] != width || !products.shape.SequenceEqual(Products.shape))
            throw new InvalidDataException($"statistics: missing or of another width, expected {width} features");
        Dispose();
        (Counts, Sums, Products) = (counts, sums, products);
    }

    public void Dispose()
    {
        Counts.Dispose();
        Sums.Dispose();
        Products.Dispose();
    }

    private static Tensor Zeros(params long[] shape) => zeros(shape, ScalarType.Float64).DetachFromDisposeScope();

    private void Grow(int classes)
    {
        var more = classes - Counts.shape[0];
        if (more <= 0) return;
        var (counts, sums) = (Counts, Sums);
        Counts = cat([counts, zeros([more], ScalarType.Float64)]).DetachFromDisposeScope();
        Sums = cat([sums, zeros([more, width], ScalarType.Float64)]).DetachFromDisposeScope();
        counts.Dispose();
        sums.Dispose();
    }
}
