using Engram.Retention;
using Engram.Streams;

namespace Engram.Learning;

/// <summary>THE training loop: every mechanism takes part through its seams, none has a loop of its own.</summary>
internal sealed class TrainingLoop(Learner learner, LearningMeter meter, TimeProvider clock)
{
    private static readonly TimeSpan s_reportEvery = TimeSpan.FromMilliseconds(100);

    private readonly LearningContext _context = learner.Context;
    private readonly LearnerOptions _options = learner.Context.Options;
    private readonly RetentionMechanism[] _mechanisms = [.. learner.Mechanisms];

    // Who chose the data ends last: should another one fail to end, the same data is chosen when learning goes on.
    private readonly RetentionMechanism[] _ending = [.. learner.Mechanisms.OrderBy(m => m.Seams.HasFlag(Seams.TrainingData))];

    private RetentionMechanism? Chooser =>
        Array.Find(_mechanisms, mechanism => mechanism.Seams.HasFlag(Seams.TrainingData));

    public LearningResult Run(
        Experience experience, IProgress<LearningProgress>? progress, CancellationToken cancellationToken)
    {
        meter.Start(anew: learner.Cursor is null);
        Enter(experience);
        var epochs = Chooser?.ChooseEpochs(_context) ?? _options.Epochs;
        var order = new BatchOrder(_context.Source.Count, _options with { Epochs = epochs }, experience.Index);
        _context.TotalSteps = order.Steps;
        if (learner.Cursor is null)
        {
            foreach (var mechanism in _mechanisms) mechanism.BeginExperience(_context);
            learner.Cursor = new LearningCursor(experience.Index, 0);
        }

        var reported = clock.GetTimestamp();
        _context.Model.TrainMode(_context.Completed);
        for (var number = learner.Cursor.Step; number < order.Steps; number = learner.Cursor.Step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (number % order.StepsPerEpoch == 0) meter.StartEpoch();
            var indices = order.Batch(number);
            if (_options.Schedule is { } schedule)
                learner.Optimizer.LearningRate =
                    _options.Optimizer.LearningRate * schedule.Factor(number, order.StepsPerEpoch, order.Steps);
            Step(indices, number);
            learner.Cursor = learner.Cursor with { Step = number + 1 };
            if (learner.Best is { } best && ((number + 1) % order.StepsPerEpoch == 0 || number + 1 == order.Steps))
            {
                learner.Cursor = best.AfterEpoch(learner.Cursor);
                if (best.IsOver(learner.Cursor)) learner.Cursor = learner.Cursor with { Step = order.Steps };
            }
            learner.BetweenSteps?.Invoke();
            if (progress is null || clock.GetElapsedTime(reported) < s_reportEvery) continue;
            reported = clock.GetTimestamp();
            progress.Report(Progress(order, number + 1, "training"));
        }

        if (learner.Cursor.Ended == 0) learner.Best?.GoBack();
        progress?.Report(Progress(order, order.Steps, "consolidating")); // who listens may predict other tasks, so before PrepareForward
        _context.Model.TrainMode(_context.Completed);
        foreach (var mechanism in _mechanisms)
            if (mechanism.Seams.HasFlag(Seams.Forward)) mechanism.PrepareForward(_context, experience.TaskId);
        _context.Model.eval();
        for (var ended = learner.Cursor.Ended; ended < _ending.Length; ended++)
        {
            _ending[ended].EndExperience(_context);
            learner.Cursor = learner.Cursor with { Ended = ended + 1 };
        }
        _context.Completed++;
        if (_context.Model.ApplyFreezing(_context.Completed)) Relayout();
        learner.Best?.Dispose();
        learner.Cursor = null;
        return meter.Result();
    }

    private void Step(long[] indices, long number)
    {
        using var scope = NewDisposeScope();
        var step = new TrainingStep(_context, indices, number);
        foreach (var mechanism in _mechanisms)
        {
            if (mechanism.Seams.HasFlag(Seams.Forward)) mechanism.PrepareForward(_context, _context.Experience.TaskId);
            mechanism.AddSamples(step);
        }
        step.Arrange();
        foreach (var mechanism in _mechanisms) mechanism.BeforeForward(step);
        step.Forward(_context.Model);
        var loss = Loss(step);
        _context.Arena.Backward(loss);
        meter.Add(loss, indices.Length);

        using var _ = no_grad();
        foreach (var mechanism in _mechanisms) mechanism.AddGradient(step);
        foreach (var mechanism in _mechanisms)
            if (mechanism.Seams.HasFlag(Seams.Projection))
                using (enable_grad())
                    mechanism.ProjectGradient(step);
        if (_options.ClipNorm is { } norm) Clip(_context.Arena.Gradient, norm);
        learner.Optimizer.Step(_context.Arena);
        foreach (var mechanism in _mechanisms) mechanism.AfterStep(step);
    }

    private Tensor Loss(TrainingStep step)
    {
        Tensor? total = null;
        foreach (var part in step.Parts)
        {
            var weight = step.WeightOf(part);
            if (weight == 0) continue;
            Tensor? loss = null;
            foreach (var mechanism in _mechanisms)
                if (mechanism.Seams.HasFlag(Seams.Loss)) loss ??= mechanism.ReplaceLoss(step, part);
            loss ??= _context.Targets.Loss(TrainingStep.RowsOf(step.Logits, part), part);
            if (weight != 1) loss = loss.mul(Held(weight));
            total = total is null ? loss : total.add(loss, alpha: Held(1));
        }
        foreach (var mechanism in _mechanisms)
            if (mechanism.ExtraLoss(step) is { } extra) total = total is null ? extra : total.add(extra, alpha: Held(1));
        return total!;
    }

    // Chooses the data, registers the classes and grows the head; on resumption only the tables are rebuilt.
    private void Enter(Experience experience)
    {
        _context.Experience = experience;
        _context.Targets.Kind = experience.Train.TargetKind;
        learner.InputShape ??= experience.Train.InputShape;
        learner.InputType ??= experience.Train.InputType;
        var resumed = learner.Cursor is not null;
        if (_context.Classes.Count == 0)
            foreach (var label in _options.InitialLabels) _context.Classes.Register(label);
        if (!resumed)
        {
            _context.KnownBefore = _context.Classes.Count;
            foreach (var mechanism in _mechanisms) mechanism.BeforeGrowth(_context);
        }
        _context.Source = Chooser?.ChooseTrainingData(_context) ?? experience.Train;
        var train = experience.Train;
        _context.ClassIds =
            [.. train.Labels.Select((label, code) => _context.Classes.Register(label, _context.Targets.TaskKey(train, code))).Distinct()];
        var added = _context.Classes.Count - _context.Model.Head.ClassCount;
        if (added > 0) _context.Model.Head.Grow(added);
        if (added > 0 || _context.StructureChanged) Relayout();
        if (!resumed && (_options.ResetOptimizer || _mechanisms.Any(mechanism => mechanism.ForgetsMoments)))
            learner.Optimizer.Reset();
        _context.Targets.Refresh();
    }

    private void Relayout()
    {
        var change = _context.Arena.Rebuild();
        learner.Optimizer.Carry(change);
        foreach (var mechanism in _mechanisms) mechanism.OnGrowth(_context, change);
        _context.StructureChanged = false;
    }

    private LearningProgress Progress(BatchOrder order, long step, string activity)
    {
        var epoch = (int)Math.Min((step / order.StepsPerEpoch) + 1, order.Epochs);
        return new LearningProgress(
            _context.Experience.Index, epoch, order.Epochs, step, order.Steps, meter.Samples, meter.Rate,
            meter.SinceLastReport(), activity);
    }

    private static void Clip(Tensor gradient, double norm) =>
        gradient.mul_(gradient.norm().add_(Held(1e-6), alpha: Held(1)).reciprocal_().mul_(Held(norm)).clamp_max_(Held(1)));
}
