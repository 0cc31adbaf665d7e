using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Evaluation.Tuning;

/// <summary>How the continual procedure searches.</summary>
public sealed record ContinualTuningOptions
{
    /// <summary>Learning rates to try, the greatest that is wanted first.</summary>
    public required IReadOnlyList<double> Rates { get; init; }

    /// <summary>Rates tried in every experience but the first.</summary>
    /// <value>Default 3, as in FACIL; 1 or more.</value>
    public int LaterRates { get; init; } = 3;

    /// <summary>Where the strength that holds old knowledge begins in each experience: so high that new learning suffers.</summary>
    public required double Strength { get; init; }

    /// <summary>What the strength is multiplied by at each attempt.</summary>
    /// <value>Default 0.5, as in FACIL; above 0 and below 1.</value>
    public double Decay { get; init; } = 0.5;

    /// <summary>p: share of the best accuracy that may be lost for the sake of old knowledge.</summary>
    /// <value>Default 0.2, as in FACIL; 0 or more, below 1.</value>
    public double Drop { get; init; } = 0.2;

    /// <summary>Most attempts in an experience.</summary>
    /// <value>Default 7, as in FACIL; 1 or more.</value>
    public int Attempts { get; init; } = 7;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names the option, its value and what was expected.</exception>
    public void Validate()
    {
        if (Rates.Count == 0 || Rates.Any(rate => !(rate > 0 && double.IsFinite(rate))))
            throw new ArgumentException($"Rates: {string.Join(", ", Rates)}, expected positive numbers");
        if (LaterRates < 1) throw new ArgumentException($"LaterRates: {LaterRates}, expected 1 or more");
        if (!(Strength > 0 && double.IsFinite(Strength))) throw new ArgumentException($"Strength: {Strength}, expected a positive number");
        if (Decay is not (> 0 and < 1)) throw new ArgumentException($"Decay: {Decay}, expected above 0 and below 1");
        if (Drop is not (>= 0 and < 1)) throw new ArgumentException($"Drop: {Drop}, expected 0 or more, below 1");
        if (Attempts < 1) throw new ArgumentException($"Attempts: {Attempts}, expected 1 or more");
    }
}

/// <summary>How one attempt of the continual procedure learns.</summary>
/// <param name="Model">Builds the model, always the same.</param>
/// <param name="Training">Options with the attempt's learning rate.</param>
/// <param name="Mechanisms">New mechanisms with the attempt's strength.</param>
public sealed record AttemptSettings(
    Func<ContinualModel> Model, LearnerOptions Training, IReadOnlyList<RetentionMechanism> Mechanisms);

/// <summary>
/// Chooses learning rate and strength while the stream is learnt, seeing nothing but the present experience: the continual
/// hyperparameter framework (De Lange et al. 2022, "A continual learning survey", section 4) as FACIL has it (Masana et al. 2022,
/// "Class-Incremental Learning: Survey and Performance Evaluation on Image Classification", section 5.3).
/// </summary>
/// <remarks>
/// In each experience, first the search for greatest plasticity: plain fine-tuning from the model so far with each rate, whose best
/// validation accuracy is A. Then the decay of stability: the method with that rate and the highest strength, which is multiplied
/// by <see cref="ContinualTuningOptions.Decay"/> until the accuracy is (1 − p)·A or more; that learner goes on to the next
/// experience. Accuracies are among the experience's own classes, as in FACIL. Deviations: in later experiences the rates are the
/// greatest ones not above the first experience's (FACIL: below it); when no attempt holds, the last is kept.
/// Where it was is kept on disk after each attempt.
/// </remarks>
public sealed class ContinualTuning
{
    private readonly TuningData _data;
    private readonly ContinualTuningOptions _options;
    private readonly Func<double, double?, AttemptSettings> _settings;
    private readonly TuningPlace _place;
    private readonly TimeProvider _clock;

    /// <summary>Prepares the procedure.</summary>
    /// <param name="data">What may be seen.</param>
    /// <param name="options">How to search.</param>
    /// <param name="settings">
    /// Settings for a rate and a strength; a strength of null asks for fine-tuning without any mechanism.
    /// </param>
    /// <param name="folder">Where the procedure keeps its place, and goes on from.</param>
    /// <param name="clock">For timings; null for the system's.</param>
    public ContinualTuning(
        TuningData data, ContinualTuningOptions options, Func<double, double?, AttemptSettings> settings, string folder,
        TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(settings);
        options.Validate();
        (_data, _options, _settings, _place) = (data, options, settings, new TuningPlace(folder));
        _clock = clock ?? TimeProvider.System;
    }

    /// <summary>Learns the stream.</summary>
    /// <param name="attempted">Told of every attempt when it has ended, of those before an interruption too.</param>
    /// <param name="progress">Told how far the attempt is.</param>
    /// <param name="cancellationToken">Stops after the step in progress.</param>
    /// <returns>What was chosen for each experience; fewer after a cancellation.</returns>
    /// <exception cref="InvalidDataException">Something in the folder is damaged; the message names the file.</exception>
    public IReadOnlyList<ContinualChoice> Run(
        Action<ContinualAttempt>? attempted = null, IProgress<LearningProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var choices = new List<ContinualChoice>();
        try
        {
            for (var position = 0; position < _data.Count; position++)
                choices.Add(Choose(position, choices, attempted, progress, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The attempt in progress begins again; all before it are kept.
        }
        return choices;
    }

    private ContinualChoice Choose(
        int position, List<ContinualChoice> before, Action<ContinualAttempt>? attempted, IProgress<LearningProgress>? progress,
        CancellationToken cancellationToken)
    {
        var attempts = new List<ContinualAttempt>();
        ContinualAttempt Try(double rate, double? strength)
        {
            var attempt = _place.Attempt(position, attempts.Count, rate, strength)
                ?? Measure(position, attempts.Count, rate, strength, progress, cancellationToken);
            attempts.Add(attempt);
            attempted?.Invoke(attempt);
            return attempt;
        }

        foreach (var rate in Rates(before)) Try(rate, null);
        var plastic = attempts.OrderByDescending(attempt => attempt.New).First();
        // The first experience has nothing to hold on to.
        if (position == 0) return Settled(position, attempts, Try(plastic.Rate, _options.Strength), plastic);
        var strength = _options.Strength;
        for (var left = _options.Attempts; ; left--, strength *= _options.Decay)
        {
            var held = Try(plastic.Rate, strength);
            if (left == 1 || held.New >= (1 - _options.Drop) * plastic.New) return Settled(position, attempts, held, plastic);
        }
    }

    private ContinualChoice Settled(int position, List<ContinualAttempt> attempts, ContinualAttempt kept, ContinualAttempt plastic)
    {
        _place.Settle(position, kept.Number);
        return new ContinualChoice(position, _data[position].Name, kept, plastic.New, [.. attempts]);
    }

    private IReadOnlyList<double> Rates(List<ContinualChoice> before)
    {
        var rates = _options.Rates.OrderDescending();
        return before.Count == 0
            ? [.. rates]
            : [.. rates.Where(rate => rate <= before[0].Kept.Rate).Take(_options.LaterRates)];
    }

    private ContinualAttempt Measure(
        int position, int number, double rate, double? strength, IProgress<LearningProgress>? progress, CancellationToken cancellationToken)
    {
        var (began, settings) = (_clock.GetTimestamp(), _settings(rate, strength));
        using var learner = new Learner(settings.Model, settings.Training, settings.Mechanisms, _clock);
        if (position > 0)
        {
            _place.Restore(position - 1, bundle =>
            {
                if (strength is null) Bundle.RestoreWithoutMechanisms(learner, bundle);
                else Bundle.Restore(learner, bundle, otherOptions: true);
            });
            learner.Optimizer.LearningRate = rate;
        }
        learner.Learn(_data[position], progress, cancellationToken);
        if (strength is not null) Bundle.Save(learner, _place.Candidate(position, number));
        var attempt = new ContinualAttempt(
            position, number, rate, strength, Evaluator.AccuracyAmongOwn(learner, TuningData.Set(_data[position])),
            Old(learner, position), _clock.GetElapsedTime(began).TotalSeconds);
        _place.Keep(attempt);
        return attempt;
    }

    // For the plot alone: no choice depends on it.
    private double Old(Learner learner, int position) => position == 0
        ? double.NaN
        : Enumerable.Range(0, position).Average(earlier => Evaluator.Accuracy(learner, TuningData.Set(_data[earlier])));
}

/// <summary>One attempt in an experience.</summary>
/// <param name="Position">The experience's place in the stream.</param>
/// <param name="Number">The attempt's place in the experience.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Strength">Strength that held old knowledge; null for fine-tuning.</param>
/// <param name="New">Validation accuracy on the experience, among its own classes: what the procedure chooses by.</param>
/// <param name="Old">Validation accuracy on earlier experiences, for the reader: nothing is chosen by it. NaN in the first.</param>
/// <param name="Seconds">Time it took.</param>
public sealed record ContinualAttempt(
    int Position, int Number, double Rate, double? Strength, double New, double Old, double Seconds);

/// <summary>What was chosen for an experience.</summary>
/// <param name="Position">The experience's place in the stream.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kept">The attempt whose learner went on.</param>
/// <param name="Plastic">A: the best accuracy that fine-tuning reached.</param>
/// <param name="Attempts">All attempts, in order.</param>
public sealed record ContinualChoice(
    int Position, string Name, ContinualAttempt Kept, double Plastic, IReadOnlyList<ContinualAttempt> Attempts);
