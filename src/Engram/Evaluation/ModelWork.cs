using Engram.Learning;
using TorchSharp.Modules;

namespace Engram.Evaluation;

/// <summary>How much a model computes for one sample.</summary>
internal static class ModelWork
{
    /// <summary>
    /// Multiplications with an addition in the linear and convolution layers of backbone and head, counted by watching one forward
    /// pass of zeros; what mechanisms compute besides is not counted.
    /// </summary>
    public static long MultiplyAdds(Learner learner)
    {
        if (learner.InputShape is not { } shape) return 0;
        var model = learner.Context.Model;
        var work = 0L;
        var remove = new List<Action>();
        // One output takes as many as its row of weights has.
        void Watch(nn.Module<Tensor, Tensor> layer, long each)
        {
            var hook = layer.register_forward_hook((_, _, output) =>
            {
                work += output.numel() * each;
                return output;
            });
            remove.Add(hook.remove);
        }
        // A module registered in two places is watched once.
        foreach (var module in model.Backbone.named_modules().Select(pair => pair.module).Distinct(ReferenceEqualityComparer.Instance))
        {
            if (module is Linear { weight: { } matrix } linear) Watch(linear, matrix.size(1));
            else if (module is Conv2d { weight: { } kernels } convolution) Watch(convolution, kernels.numel() / kernels.size(0));
        }
        try
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var training = model.training;
            model.eval();
            model.Backbone.call(model.Scaling.Apply(zeros([1, .. shape], learner.InputType ?? ScalarType.Byte)));
            if (training) model.TrainMode(learner.Context.Completed);
        }
        finally
        {
            foreach (var action in remove) action();
        }
        return work + ((long)model.Head.ClassCount * model.Head.FeatureCount);
    }
}
