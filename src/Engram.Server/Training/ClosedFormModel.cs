using Engram.Analytic;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Server.Training;

/// <summary>A learner in closed form.</summary>
internal sealed class ClosedFormModel(AnalyticLearner learner) : TrainedModel
{
    public override IContinualLearner Learner => learner;

    public override bool Unlearns => true;

    public override int NextExperience => Next(learner.Learnt);

    public override IReadOnlyList<string> Labels => NamesOf(learner.Classes);

    public override void Learn(
        ISampleSource samples, Action betweenSteps, IProgress<LearningProgress>? progress, CancellationToken cancellationToken)
    {
        learner.BetweenSteps = betweenSteps;
        learner.Learn(new Experience(NextExperience, samples), progress, cancellationToken);
    }

    public override void Unlearn(ISampleSource samples) => learner.Unlearn(samples);

    public override void Save(string folder, BundleInfo info) => AnalyticBundle.Save(learner, folder, info);

    public override void Dispose() => learner.Dispose();
}
