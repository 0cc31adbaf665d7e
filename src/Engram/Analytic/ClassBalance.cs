namespace Engram.Analytic;

/// <summary>Whether frequent classes weigh more than rare ones in <see cref="RidgeClassifier"/>.</summary>
public enum ClassBalance
{
    /// <summary>Every sample weighs the same: frequent classes win by number.</summary>
    None,

    /// <summary>
    /// Every class weighs the same, with one shared second moment: the spread of the class means is weighed exactly, the
    /// spread within classes is that of all classes together. No more memory than <see cref="None"/>.
    /// </summary>
    Pooled,

    /// <summary>
    /// Every class weighs the same, exactly, as if each sample counted n/(classes · n_c) times. Keeps one second moment per
    /// class: features² numbers for each.
    /// </summary>
    PerClass,
}

/// <summary>How often classes are expected when predicting.</summary>
public enum ClassPrior
{
    /// <summary>All classes equally often, whatever the numbers learnt: no log prior.</summary>
    Uniform,

    /// <summary>As often as in what was learnt: adds log(n_c / n).</summary>
    Counts,
}
