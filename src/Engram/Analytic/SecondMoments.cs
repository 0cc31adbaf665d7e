using Engram.Retention;

namespace Engram.Analytic;

/// <summary>Which second moments are kept.</summary>
internal enum Products
{
    /// <summary>None.</summary>
    None,

    /// <summary>G = Σφφᵀ over all samples.</summary>
    Shared,

    /// <summary>G_c = Σφφᵀ over the samples of each class.</summary>
    PerClass,
}

/// <summary>
/// Counts n_c, sums Σφ of each class (C = ΣφY of ridge regression is its transpose) and the second moment G = Σφφᵀ, of all
/// samples or of each class: what closed forms are made of. All are held in float64 and grow with the classes.
/// </summary>
internal sealed class SecondMoments : IDisposable
{
    private const int FewestRows = 64; // below, panels cost more than they save
    private const int Solving = 3; // matrices at once: what is kept, a copy that is scaled in place, its factor
    private readonly int _width;
    private readonly Products _kept;
    private readonly int _ofHead;

    /// <summary>Makes room for no class yet.</summary>
    /// <param name="width">Features.</param>
    /// <param name="kept">Which products are kept.</param>
    /// <param name="ofHead">Matrices that the head keeps of each class.</param>
    /// <exception cref="ArgumentException">The products and the work on them would not fit into the memory there is.</exception>
    public SecondMoments(int width, Products kept, int ofHead = 0)
    {
        (_width, _kept, _ofHead) = (width, kept, ofHead);
        CheckMemory(width, kept == Analytic.Products.None ? 0 : Solving);
        (Counts, Sums) = (Zeros(0), Zeros(0, width));
        Products = kept switch
        {
            Analytic.Products.Shared => Zeros(width, width),
            Analytic.Products.PerClass => Zeros(0, width, width),
            _ => Zeros(0, 0),
        };
    }

    public Tensor Counts { get; private set; } // [classes]

    public Tensor Sums { get; private set; } // [classes, width]

    /// <summary><c>[width, width]</c>, <c>[classes, width, width]</c> or <c>[0, 0]</c>.</summary>
    public Tensor Products { get; private set; }

    public long Bytes => 8 * (Counts.numel() + Sums.numel() + Products.numel());

    // Products of a block in the given precision, summed over blocks in float64.
    public void Add(Tensor features, Tensor ids, int sign, int classes, ScalarType precision)
    {
        Grow(classes);
        var exact = features.to(ScalarType.Float64);
        var oneHot = nn.functional.one_hot(ids, classes).to(ScalarType.Float64);
        Counts.add_(oneHot.sum([0]), alpha: Held(sign));
        Sums.add_(oneHot.t().matmul(exact), alpha: Held(sign));
        if (sign < 0) Sums.masked_fill_(Empty.unsqueeze(1), Held(0)); // no sample, no rounding left over
        var terms = precision == ScalarType.Float64 ? exact : features;
        if (_kept == Analytic.Products.Shared)
        {
            AddProducts(Products, terms, sign);
            if (sign < 0 && Empty.all().item<bool>()) Products.zero_();
        }
        if (_kept == Analytic.Products.PerClass) AddPerClass(terms, ids, sign);
    }

    /// <summary>
    /// Rows X with which samples join the rest: <see cref="Within"/> of all is that of the rest plus XᵀX. Deviations from the
    /// samples' own class means, and √(n k / (n + k)) times the distance of those from the rest's (Chan, Golub and LeVeque 1983).
    /// </summary>
    /// <param name="features">Of the samples, <c>[n, width]</c>.</param>
    /// <param name="ids">Their classes.</param>
    /// <remarks>What is summed now is the rest.</remarks>
    public Tensor WithinRows(Tensor features, Tensor ids)
    {
        var exact = features.to(ScalarType.Float64);
        var oneHot = nn.functional.one_hot(ids, Counts.size(0)).to(ScalarType.Float64);
        var joining = oneHot.sum([0]); // k of each class
        var means = oneHot.t().matmul(exact).div(joining.clamp_min(Held(1)).unsqueeze(1));
        var weights = Counts.mul(joining).div(Counts.add(joining, alpha: Held(1)).clamp_min(Held(1))).sqrt();
        var shifts = means.sub(Means()).mul(weights.unsqueeze(1)).index_select(0, weights.nonzero().view(-1));
        return exact.size(0) == 1 ? shifts : cat([exact.sub(means.index_select(0, ids)), shifts]);
    }

    /// <summary>Takes out the terms of a class, where none of them are <see cref="Analytic.Products.Shared"/>.</summary>
    /// <returns>Whether that is so.</returns>
    public bool Drop(int id)
    {
        if (_kept == Analytic.Products.Shared) return false;
        Counts[id].zero_();
        Sums[id].zero_();
        if (_kept == Analytic.Products.PerClass) Products[id].zero_();
        return true;
    }

    public Tensor Means() => Sums.div(Counts.clamp_min(Held(1)).unsqueeze(1)); // [classes, width]

    /// <summary>Log of the share of each class, float64 <c>[classes]</c>; any number for one without samples.</summary>
    public Tensor LogPrior() => Counts.div(Counts.sum()).clamp_min(Held(1e-300)).log();

    /// <summary>Σ over samples of (φ − μ_c)(φ − μ_c)ᵀ with the mean of their class, <c>[width, width]</c>.</summary>
    public Tensor Within() => Total().addmm_(Sums.t(), Means(), 1, -1);

    /// <summary><see cref="Within"/> times V, without computing it; of <see cref="Analytic.Products.Shared"/>.</summary>
    public Tensor WithinTimes(Tensor v) => Products.matmul(v).sub_(Sums.t().matmul(Means().matmul(v)));

    /// <summary>Σφφᵀ over all samples, a copy.</summary>
    public Tensor Total() => _kept == Analytic.Products.PerClass ? Products.sum([0L]) : Products.clone();

    public void Save(MechanismState state) =>
        (state.Tensors["counts"], state.Tensors["sums"], state.Tensors["products"]) = (Counts, Sums, Products);

    public void Load(MechanismState state)
    {
        var (counts, sums, products) = (Statistics.Take(state, "counts", -1), Statistics.Take(state, "sums", -1, _width),
            Statistics.Take(state, "products", _kept == Analytic.Products.PerClass ? [-1, _width, _width] : Products.shape));
        var classes = counts.size(0);
        if (sums.size(0) != classes || (_kept == Analytic.Products.PerClass && products.size(0) != classes))
            throw new InvalidDataException($"statistics: sums of {sums.size(0)} classes, expected {classes} as counted");
        Dispose();
        (Counts, Sums, Products) = (counts.DetachFromDisposeScope(), sums.DetachFromDisposeScope(), products.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        Counts.Dispose();
        Sums.Dispose();
        Products.Dispose();
    }

    private Tensor Empty => Counts.lt(Held(0.5));

    private static Tensor Zeros(params long[] shape) => zeros(shape, ScalarType.Float64).DetachFromDisposeScope();

    // G ← G ± ΦᵀΦ, of which what is above the diagonal panels is mirrored and not computed: three quarters of the work with two
    // panels, five eighths with four.
    internal static void AddProducts(Tensor gram, Tensor terms, int sign)
    {
        var (width, panels) = (terms.size(1), terms.size(0) < FewestRows ? 1 : terms.size(1) < 256 ? 1 : terms.size(1) < 1024 ? 2 : 4);
        for (var panel = 0; panel < panels; panel++)
        {
            using var scope = NewDisposeScope();
            var (from, to) = (panel * width / panels, (panel + 1) * width / panels);
            var (left, right) = (terms.narrow(1, from, to - from), terms.narrow(1, 0, to));
            var block = gram.narrow(0, from, to - from).narrow(1, 0, to);
            if (terms.dtype == ScalarType.Float64) block.addmm_(left.t(), right, 1, sign);
            else block.add_(left.t().matmul(right), alpha: Held(sign));
            if (from > 0) gram.narrow(0, 0, from).narrow(1, from, to - from).copy_(block.narrow(1, 0, from).t());
        }
    }

    private void AddPerClass(Tensor terms, Tensor ids, int sign)
    {
        foreach (var id in ids.data<long>().ToArray().Distinct())
        {
            using var scope = NewDisposeScope();
            var own = terms.index_select(0, ids.eq(Held(id)).nonzero().view(-1));
            AddProducts(Products[id], own, sign);
        }
        if (sign < 0) Products.masked_fill_(Empty.view(-1, 1, 1), Held(0));
    }

    /// <summary>Bytes of so many matrices of features² numbers.</summary>
    public static double BytesOf(int width, long matrices) => matrices * 8.0 * width * width;

    /// <summary>Refuses so many of them at once where they do not fit into the memory there is.</summary>
    public static void CheckMemory(int width, long matrices) =>
        MemoryGuard.Check($"features: {width} of them and {matrices} matrices of their second moments", BytesOf(width, matrices));

    /// <summary>Makes room for classes, without samples yet.</summary>
    public void Grow(int classes)
    {
        var more = classes - Counts.size(0);
        if (more <= 0) return;
        if (_kept == Analytic.Products.PerClass) CheckMemory(_width, ((2 + _ofHead) * (long)classes) + Solving); // while they grow, twice
        var (counts, sums, products) = (Counts, Sums, Products);
        Counts = cat([counts, zeros([more], ScalarType.Float64)]).DetachFromDisposeScope();
        Sums = cat([sums, zeros([more, _width], ScalarType.Float64)]).DetachFromDisposeScope();
        counts.Dispose();
        sums.Dispose();
        if (_kept != Analytic.Products.PerClass) return;
        Products = cat([products, zeros([more, _width, _width], ScalarType.Float64)]).DetachFromDisposeScope();
        products.Dispose();
    }
}
