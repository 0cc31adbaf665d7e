using Engram.Learning;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Conformance;

/// <summary>
/// What a mechanism does in its seams, seen from an edge before it and one after it in the learner's list. An edge asks it for its
/// losses once more, which may draw random numbers: what such a learner learns is not compared with anything.
/// </summary>
internal sealed class Effects(RetentionMechanism mechanism)
{
    public RetentionMechanism Mechanism => mechanism;

    /// <summary>The seams in which it changed something.</summary>
    public Seams Seen { get; set; }

    /// <summary>The greatest value of the penalty during training, where it has one.</summary>
    public double Penalty { get; private set; }

    /// <summary>The mechanisms, each between two edges.</summary>
    public static IReadOnlyList<RetentionMechanism> Between(IReadOnlyList<Effects> watched) =>
        [.. watched.SelectMany(effects => new[] { new Edge(effects, null), effects.Mechanism, new Edge(effects, effects.Mechanism) })];

    private (int Parts, double[] Gradient, double[] Values, long Parameters) _before;

    private void Note(bool last, Seams seam, double[] now)
    {
        ref var before = ref seam == Seams.Parameters ? ref _before.Values : ref _before.Gradient;
        if (!last) before = now;
        else if (!now.SequenceEqual(before)) Seen |= seam;
    }

    private static double[] Numbers(Tensor flat) => [.. flat.data<float>().Select(value => (double)value)];

    private sealed class Edge(Effects effects, RetentionMechanism? watched) : RetentionMechanism
    {
        private bool Last => watched is not null;

        public override string Name => $"edge {(Last ? "after" : "before")} {effects.Mechanism.Name}";

        public override Seams Seams => Seams.Projection;

        public override long MemoryBytes => 0;

        protected internal override void BeforeGrowth(LearningContext context) => Structure(context);

        protected internal override void BeginExperience(LearningContext context)
        {
            if (Last && (!Same(context) || watched!.ChooseEpochs(context) is not null)) effects.Seen |= Seams.TrainingData;
            Values(context);
        }

        protected internal override void AddSamples(TrainingStep step)
        {
            if (!Last) effects._before.Parts = step.Parts.Count;
            else if (step.Parts.Count > effects._before.Parts) effects.Seen |= Seams.Samples;
        }

        protected internal override Tensor? ExtraLoss(TrainingStep step)
        {
            if (!Last) return null;
            if (watched!.ExtraLoss(step) is { } extra && extra.item<float>() != 0) effects.Seen |= Seams.ExtraLoss;
            if (!watched.Seams.HasFlag(Seams.Loss)) return null;
            foreach (var part in step.Parts.Where(part => part.Weight != 0))
                if (watched.ReplaceLoss(step, part) is { } own
                    && Math.Abs(own.item<float>() - step.Context.Targets.Loss(TrainingStep.RowsOf(step.Logits, part), part).item<float>()) > 1e-4)
                    effects.Seen |= Seams.Loss;
            return null;
        }

        protected internal override void AddGradient(TrainingStep step) =>
            effects.Note(Last, Seams.Gradient, Numbers(step.Context.Arena.Gradient));

        protected internal override void ProjectGradient(TrainingStep step) =>
            effects.Note(Last, Seams.Projection, Numbers(step.Context.Arena.Gradient));

        protected internal override void AfterStep(TrainingStep step)
        {
            Values(step.Context);
            if (watched is WeightPenalty penalty) effects.Penalty = Math.Max(effects.Penalty, penalty.Penalty.Value(step.Context.Arena));
        }

        protected internal override void EndExperience(LearningContext context) => Values(context);

        private void Values(LearningContext context) => effects.Note(Last, Seams.Parameters, Numbers(context.Arena.Values));

        private void Structure(LearningContext context)
        {
            var count = context.Model.parameters().Sum(parameter => parameter.numel());
            if (!Last) effects._before.Parameters = count;
            else if (count != effects._before.Parameters) effects.Seen |= Seams.Parameters;
        }

        private static bool Same(LearningContext context) =>
            context.Source.Count == context.Experience.Train.Count
            && context.Source.Codes.Span.SequenceEqual(context.Experience.Train.Codes.Span);
    }
}
