using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Retention;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Memory;

public class PerGroupTests
{
    [Fact]
    public void A_bound_per_class_holds_while_there_is_room_and_every_sample_is_as_likely_to_stay()
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 8)), LearnerCases.Options,
            [new Replay(new ReplayOptions { Capacity = 1000, PerGroup = 4 })]);
        foreach (var experience in LearnerCases.Digits.Experiences) learner.Teach(experience);

        var buffer = ((Replay)learner.Mechanisms[0]).Buffer;
        Assert.Equal(40, buffer.Count);
        Assert.All(buffer.ClassSizes, size => Assert.Equal(4, size));

        // 2,000 memories of 2 out of 10 samples: each stays 400 times, give or take four standard deviations.
        var kept = new int[10];
        for (var seed = 0; seed < 2000; seed++)
        {
            using var scope = NewDisposeScope();
            using var memory = new ReplayBuffer(100, BalanceBy.Class, new SeededRandom(seed, "bound"), perGroup: 2);
            var part = learner.Context.Fetch([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
            part.Targets.zero_();
            part.Raw.copy_(arange(10, ScalarType.Int64).view(10, 1, 1, 1).expand(part.Raw.shape));
            memory.Offer(part, 0);
            foreach (var value in memory.Read(learner.Context, [0, 1]).Raw.select(1, 0).select(1, 0).select(1, 0).data<byte>()) kept[value]++;
        }
        Assert.Equal(4000, kept.Sum());
        Assert.All(kept, count => Assert.InRange(count, 400 - 72, 400 + 72));
    }

    [Fact]
    public void Losses_weighed_by_experience_are_one_nth_new_and_the_rest_repeated()
    {
        var weights = new List<(double, double)>();
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 8)), LearnerCases.Options,
            [new Replay(new ReplayOptions { Capacity = 20, Weighting = ReplayWeighting.ByExperience }), new Spy(weights)]);
        foreach (var experience in LearnerCases.Digits.Experiences) learner.Teach(experience);

        Assert.Equal([(1, 0), (0.5, 0.5), (1.0 / 3, 1 - (1.0 / 3))], weights.Distinct());
    }

    private sealed class Spy(List<(double New, double Repeated)> weights) : RetentionMechanism
    {
        public override string Name => "spy";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        protected internal override void AfterStep(TrainingStep step) => weights.Add(
            (step.WeightOf(step.Current), step.Parts.Count > 1 ? step.WeightOf(step.Parts[1]) : 0));

        protected internal override void Save(MechanismState state)
        {
        }

        protected internal override void Load(LearningContext context, MechanismState state)
        {
        }
    }
}
