using Engram.Memory;

namespace Engram.Retention;

/// <summary>How samples are chosen to be kept.</summary>
public enum Selection
{
    /// <summary>By chance, as they come (reservoir sampling, balanced as <see cref="ReplayOptions.Balance"/> says).</summary>
    Reservoir,

    /// <summary>Herding when an experience ends, the same number for every class (iCaRL); for targets that are classes.</summary>
    Herding,

    /// <summary>Nearest to the class mean when an experience ends, the same number for every class; for targets that are classes.</summary>
    ClosestToMean,

    /// <summary>GSS-greedy while samples are learnt: gradients that point in different directions.</summary>
    GradientBased,
}

/// <summary>How kept samples are chosen to be repeated.</summary>
public enum Retrieval
{
    /// <summary>Every kept sample is equally likely.</summary>
    Random,

    /// <summary>Equal shares of every class.</summary>
    Balanced,

    /// <summary>MIR: those whose loss the coming step would raise most.</summary>
    MaximallyInterfered,
}

/// <summary>How the losses on new and on repeated samples are weighed.</summary>
public enum ReplayWeighting
{
    /// <summary>The mean over all of them, as if they were one batch.</summary>
    AsOneBatch,

    /// <summary>1/n of the mean over new ones and 1 − 1/n of that over repeated ones in the n-th experience, as in van de Ven et al. 2022.</summary>
    ByExperience,
}

/// <summary>What a memory keeps and repeats.</summary>
public sealed record ReplayOptions
{
    /// <summary>M: samples kept.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Most samples kept of each class, or of what <see cref="Balance"/> says, even while there is room for more; null means no such bound.</summary>
    /// <value>Default null; 1 or more.</value>
    public int? PerGroup { get; init; }

    /// <summary>How the losses on new and on repeated samples are weighed.</summary>
    /// <value>Default <see cref="ReplayWeighting.AsOneBatch"/>.</value>
    public ReplayWeighting Weighting { get; init; }

    /// <summary>Samples repeated with each step; null means as many as are new.</summary>
    /// <value>Default null.</value>
    public int? BatchSize { get; init; }

    /// <summary>What the memory holds equal shares of; the other selections than reservoir do not ask.</summary>
    /// <value>Default <see cref="BalanceBy.Class"/>.</value>
    public BalanceBy Balance { get; init; } = BalanceBy.Class;

    /// <summary>Whether samples enter the memory while they are learnt, in the first pass, not when their experience ends.</summary>
    /// <value>Default false; true for online streams.</value>
    public bool Online { get; init; }

    /// <summary>How samples are chosen to be kept.</summary>
    /// <value>Default <see cref="Selection.Reservoir"/>.</value>
    public Selection Selection { get; init; }

    /// <summary>How kept samples are chosen to be repeated.</summary>
    /// <value>Default <see cref="Retrieval.Random"/>.</value>
    public Retrieval Retrieval { get; init; }

    /// <summary>n of GSS-greedy: kept samples that the gradients of new ones are compared with.</summary>
    /// <value>Default 10; 1 or more.</value>
    public int CompareWith { get; init; } = 10;

    /// <summary>C of MIR: kept samples drawn by chance, of which the most interfered are repeated; null means 3 times as many.</summary>
    /// <value>Default null.</value>
    public int? Candidates { get; init; }

    /// <summary>α of MIR: size of the virtual gradient step; null means the optimiser's learning rate.</summary>
    /// <value>Default null; the rate that plain gradient descent would need, which is greater than Adam's.</value>
    public double? VirtualRate { get; init; }

    internal ReplayOptions Validated()
    {
        if (Capacity < 1) throw new ArgumentException($"Capacity: {Capacity}, expected 1 or more");
        if (PerGroup < 1) throw new ArgumentException($"PerGroup: {PerGroup}, expected 1 or more");
        if (BatchSize < 1) throw new ArgumentException($"BatchSize: {BatchSize}, expected 1 or more");
        if (CompareWith < 1) throw new ArgumentException($"CompareWith: {CompareWith}, expected 1 or more");
        if (Candidates < 1) throw new ArgumentException($"Candidates: {Candidates}, expected 1 or more");
        if (VirtualRate is { } rate && !(rate > 0 && double.IsFinite(rate)))
            throw new ArgumentException($"VirtualRate: {rate}, expected a positive number");
        if (Online && (Selection is Selection.Herding or Selection.ClosestToMean))
            throw new ArgumentException(
                $"Selection: {Selection} needs all samples of an experience, expected Reservoir or GradientBased when Online");
        return this;
    }
}
