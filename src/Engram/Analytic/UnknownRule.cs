using Engram.Data;
using Engram.Learning;

namespace Engram.Analytic;

/// <summary>What tells a sample of no known class.</summary>
public enum NoveltyMeasure
{
    /// <summary>
    /// The squared distance to the nearest class, as in Lee, Lee, Lee and Shin 2018, "A Simple Unified Framework for Detecting
    /// Out-of-Distribution Samples and Adversarial Attacks"; only of an <see cref="IClassDistances"/>.
    /// </summary>
    Distance,

    /// <summary>
    /// −T log Σ exp(score/T), as in Liu, Wang, Owens and Li 2020, "Energy-based Out-of-distribution Detection"; of any learner.
    /// Scores that leave out what all classes share (<see cref="StreamingLda"/>, <see cref="NearestClassMean"/>) say little here.
    /// </summary>
    Energy,
}

/// <summary>A prediction that may be none.</summary>
/// <param name="Label">The label, or null where the sample seems to belong to no known class.</param>
/// <param name="Nearest">The best known label, also where <paramref name="Label"/> is null.</param>
/// <param name="Probability">The probability of <paramref name="Nearest"/> among the known classes.</param>
/// <param name="Novelty">How novel the sample is; unknown above <see cref="UnknownRule.Threshold"/>.</param>
public readonly record struct OpenPrediction(Label? Label, Label Nearest, double Probability, double Novelty);

/// <summary>Says "unknown" to samples more novel than nearly all validation samples of known classes.</summary>
/// <param name="Measure">What is compared.</param>
/// <param name="Threshold">Unknown above this.</param>
/// <param name="FalseAlarmRate">The share of validation samples of known classes above the threshold, at most.</param>
/// <param name="Temperature">T of <see cref="NoveltyMeasure.Energy"/>.</param>
public sealed record UnknownRule(NoveltyMeasure Measure, double Threshold, double FalseAlarmRate, double Temperature = 1)
{
    /// <summary>Chooses the threshold on validation data; unknown samples are not needed.</summary>
    /// <param name="learner">The learner as it will predict; choose again after learning.</param>
    /// <param name="validation">Samples of learnt classes that were not learnt themselves.</param>
    /// <param name="falseAlarmRate">The share of them that may be called unknown; 0 to below 1.</param>
    /// <param name="measure">Null for distance where the learner has one, else energy.</param>
    /// <param name="temperature">T of <see cref="NoveltyMeasure.Energy"/>; null for the learner's own, 1 where it has none.</param>
    /// <exception cref="ArgumentException">A rate out of range, no samples, labels never learnt, or a measure the learner lacks.</exception>
    public static UnknownRule Choose(
        IContinualLearner learner, ISampleSource validation, double falseAlarmRate = 0.05, NoveltyMeasure? measure = null,
        double? temperature = null)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentNullException.ThrowIfNull(validation);
        if (falseAlarmRate is not (>= 0 and < 1))
            throw new ArgumentException($"falseAlarmRate: {falseAlarmRate}, expected 0 to below 1", nameof(falseAlarmRate));
        var warm = temperature ?? (learner as AnalyticLearner)?.Temperature ?? 1;
        if (!(warm > 0) || !double.IsFinite(warm))
            throw new ArgumentException($"temperature: {warm}, expected a positive number", nameof(temperature));
        if (validation.Count == 0) throw new ArgumentException("validation: no samples, expected some", nameof(validation));
        var codes = validation.Codes.ToArray();
        foreach (var code in codes.Distinct())
            if (learner.Classes.IdOf(validation.Labels[code]) < 0)
                throw new ArgumentException(
                    $"validation: label {validation.Labels[code]}, expected only labels that were learnt", nameof(validation));
        var rule = new UnknownRule(
            measure ?? (learner is IClassDistances ? NoveltyMeasure.Distance : NoveltyMeasure.Energy), 0, falseAlarmRate, warm);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var novelties = TemperatureScaling.InBatches(validation, inputs => rule.Novelty(learner, inputs)).data<float>().ToArray();
        Array.Sort(novelties);
        // Between two samples, so that neither changes sides by the rounding of another batch.
        var alarms = (int)Math.Floor(falseAlarmRate * novelties.Length);
        var highest = novelties[^(1 + alarms)];
        return rule with { Threshold = alarms == 0 ? highest : (highest + novelties[^alarms]) / 2 };
    }

    /// <summary>How novel samples are.</summary>
    /// <param name="learner">The learner of <see cref="Choose"/>.</param>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 <c>[batch]</c>.</returns>
    public Tensor Novelty(IContinualLearner learner, Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(learner);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var novelty = Measure == NoveltyMeasure.Energy
            ? learner.Scores(inputs).div(Held(Temperature)).logsumexp(1).mul(Held(-Temperature))
            : (learner as IClassDistances ?? throw new ArgumentException(
                $"measure: Distance of {learner.GetType().Name}, expected Energy or a learner with distances")).Distances(inputs).amin([1L]);
        return novelty.MoveToOuterDisposeScope();
    }

    /// <summary>Labels, or unknown.</summary>
    /// <param name="learner">The learner of <see cref="Choose"/>.</param>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    public IReadOnlyList<OpenPrediction> Predict(IContinualLearner learner, Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(learner);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var prediction = learner.Predict(inputs);
        var probabilities = prediction.Probabilities().amax([1L]).data<float>().ToArray();
        var novelties = Novelty(learner, inputs).data<float>().ToArray();
        return [.. prediction.Labels.Select((label, i) =>
            new OpenPrediction(novelties[i] > Threshold ? default(Label?) : label, label, probabilities[i], novelties[i]))];
    }
}
